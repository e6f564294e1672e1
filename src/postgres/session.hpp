// Session: a blocking connection for what runs before or beside the server: migrations, roles, the generator, tests.
// It knows no tenant, so nothing that answers a request may use one.
// Throws OperatorError when the server cannot be reached, ServerError when it refuses a statement.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/statement.hpp"

extern "C" {
struct pg_conn;
}

namespace buildplan::postgres {

// What the server said of a statement that it refused.
class ServerError : public std::runtime_error {
public:
    ServerError(std::string sqlstate_, std::string const& message, std::string hint_, std::size_t position_)
        : std::runtime_error(message), sqlstate(std::move(sqlstate_)), hint(std::move(hint_)), position(position_) {}

    std::string sqlstate;  // "42P01"
    std::string hint;      // "" when there is none
    std::size_t position;  // in the statement, in characters from 1; 0 when it named none

    // The message with the hint, on one line.
    [[nodiscard]] std::string describe() const;
};

struct ResultDeleter {
    void operator()(pg_result* result) const noexcept;
};
using ResultHandle = std::unique_ptr<pg_result, ResultDeleter>;

class Session {
public:
    using Row = std::vector<std::optional<std::string>>;

    explicit Session(std::string const& url);

    // One statement or several; those of one call are one transaction unless they say otherwise.
    void execute(std::string const& sql);
    // One statement with parameters $1… and its rows, everything as text.
    std::vector<Row> query(std::string const& sql, std::span<std::string const> parameters = {});
    std::vector<Row> query(std::string const& sql, std::initializer_list<std::string> parameters) {
        return query(sql, std::span<std::string const>{parameters.begin(), parameters.size()});
    }
    // A generated query and its rows, in the binary format.
    template <RowQuery Q>
    std::vector<typename Q::Row> rows(Q const& query) {
        Parameters parameters;
        query.bind(parameters);
        auto const result = run(Q::statement, parameters);
        std::vector<typename Q::Row> rows;
        for (int row = 0; row < row_count(result.get()); ++row) rows.push_back(Q::read(RowView(result.get(), row)));
        return rows;
    }
    // The first column of the first row.
    std::optional<std::string> value(std::string const& sql, std::initializer_list<std::string> parameters = {});

    [[nodiscard]] bool in_transaction() const noexcept;
    [[nodiscard]] std::string quoted_identifier(std::string_view name) const;
    [[nodiscard]] std::string quoted_literal(std::string_view text) const;
    // ALTER ROLE with the SCRAM verifier of a password, which then never reaches the server or its log.
    [[nodiscard]] std::string password_statement(std::string_view role, std::string const& password) const;
    [[nodiscard]] pg_conn* handle() const noexcept { return connection_.get(); }
    ResultHandle run(Statement const& statement, Parameters& parameters);
    static int row_count(pg_result const* result) noexcept;
    // Takes over a result; throws ServerError when it is an error.
    static ResultHandle checked(pg_result* result);

private:
    struct Closer {
        void operator()(pg_conn* connection) const noexcept;
    };
    std::unique_ptr<pg_conn, Closer> connection_;
};

}  // namespace buildplan::postgres
