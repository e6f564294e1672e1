#include "postgres/session.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <new>

#include "core/operator_error.hpp"
#include "core/text.hpp"
#include "fmt/core.h"

namespace buildplan::postgres {
namespace {

std::string one_line(std::string_view text) {
    std::string out;
    for (char const c : trim(text)) {
        if (c == '\n' || c == '\t' || c == '\r') {
            if (!out.ends_with(' ')) out += ' ';
        } else {
            out += c;
        }
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
}

std::string field(PGresult const* result, int code) {
    auto const* const text = PQresultErrorField(result, code);
    return text ? text : "";
}

std::string freed(char* text) {
    if (!text) throw std::bad_alloc();
    std::string copy(text);
    PQfreemem(text);
    return copy;
}

}  // namespace

std::string ServerError::describe() const {
    return one_line(hint.empty() ? what() : fmt::format("{} ({})", what(), hint));
}

void ResultDeleter::operator()(pg_result* result) const noexcept { PQclear(result); }
void Session::Closer::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

Session::Session(std::string const& url) {
    // What the URL says of these wins.
    char const* const keywords[] = {"connect_timeout", "dbname", "fallback_application_name", nullptr};
    char const* const values[] = {"10", url.c_str(), "buildplan", nullptr};
    connection_.reset(PQconnectdbParams(keywords, values, 1));
    if (!connection_) throw std::bad_alloc();
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        throw OperatorError(
            fmt::format("PostgreSQL cannot be reached ({})", one_line(PQerrorMessage(connection_.get()))),
            "check that it runs and that the URL, the role and its password are right");
    }
    PQsetNoticeProcessor(connection_.get(), [](void*, char const*) {}, nullptr);
}

ResultHandle Session::checked(pg_result* result) {
    if (!result) throw std::bad_alloc();
    ResultHandle handle(result);
    switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            return handle;
        default:
            break;
    }
    auto const where = field(result, PG_DIAG_STATEMENT_POSITION);
    std::size_t position = 0;
    std::from_chars(where.data(), where.data() + where.size(), position);
    auto message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message.empty()) message = PQresultErrorMessage(result);  // the connection is gone
    if (auto const detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) message += ": " + detail;
    throw ServerError(field(result, PG_DIAG_SQLSTATE), one_line(message), field(result, PG_DIAG_MESSAGE_HINT),
                      position);
}

void Session::execute(std::string const& sql) { checked(PQexec(connection_.get(), sql.c_str())); }

ResultHandle Session::run(Statement const& statement, Parameters& parameters) {
    std::string const sql(statement.sql);
    return checked(PQexecParams(connection_.get(), sql.c_str(), parameters.count(), statement.parameter_types.data(),
                                parameters.values(), parameters.lengths(), parameters.formats(), 1));
}

int Session::row_count(pg_result const* result) noexcept { return PQntuples(result); }

std::vector<Session::Row> Session::query(std::string const& sql, std::span<std::string const> parameters) {
    std::vector<char const*> values;
    values.reserve(parameters.size());
    for (auto const& parameter : parameters) values.push_back(parameter.c_str());
    auto const result = checked(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                             values.data(), nullptr, nullptr, 0));
    std::vector<Row> rows(static_cast<std::size_t>(PQntuples(result.get())));
    int const columns = PQnfields(result.get());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (int column = 0; column < columns; ++column) {
            int const row = static_cast<int>(i);
            if (PQgetisnull(result.get(), row, column)) {
                rows[i].emplace_back();
            } else {
                rows[i].emplace_back(PQgetvalue(result.get(), row, column));
            }
        }
    }
    return rows;
}

std::optional<std::string> Session::value(std::string const& sql, std::initializer_list<std::string> parameters) {
    auto const rows = query(sql, parameters);
    return rows.empty() || rows[0].empty() ? std::nullopt : rows[0][0];
}

bool Session::in_transaction() const noexcept { return PQtransactionStatus(connection_.get()) == PQTRANS_INTRANS; }

std::string Session::quoted_identifier(std::string_view name) const {
    return freed(PQescapeIdentifier(connection_.get(), name.data(), name.size()));
}

std::string Session::quoted_literal(std::string_view text) const {
    return freed(PQescapeLiteral(connection_.get(), text.data(), text.size()));
}

std::string Session::password_statement(std::string_view role, std::string const& password) const {
    std::string const name(role);
    auto const verifier =
        freed(PQencryptPasswordConn(connection_.get(), password.c_str(), name.c_str(), "scram-sha-256"));
    return fmt::format("ALTER ROLE {} PASSWORD {}", quoted_identifier(role), quoted_literal(verifier));
}

}  // namespace buildplan::postgres
