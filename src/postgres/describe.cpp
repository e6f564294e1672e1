#include "postgres/describe.hpp"

#include <libpq-fe.h>

#include "fmt/core.h"

namespace buildplan::postgres {
namespace {

TypeInfo type_info(Session& session, std::uint32_t oid) {
    return {oid, session.value("SELECT format_type($1::oid, NULL)", {std::to_string(oid)}).value_or("unknown")};
}

void find_origin(Session& session, DescribedColumn& column, std::uint32_t table, int number) {
    if (table == 0 || number <= 0) return;
    auto const rows = session.query(
        "SELECT relname, attname, attnotnull FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE attrelid = $1::oid AND attnum = $2::int2",
        {std::to_string(table), std::to_string(number)});
    if (rows.empty()) return;
    column.table = rows[0][0].value_or("");
    column.column = rows[0][1].value_or("");
    column.not_null = rows[0][2] == "t";
}

// The executor looks at the rights of the role before it explains a plan.
void check_rights(Session& session, std::size_t parameters) {
    std::string arguments;
    for (std::size_t i = 0; i < parameters; ++i) arguments += i == 0 ? "(NULL" : ", NULL";
    if (!arguments.empty()) arguments += ")";
    session.execute("EXPLAIN EXECUTE described" + arguments);
}

}  // namespace

Described describe(Session& session, std::string const& sql) {
    auto* const connection = session.handle();
    session.execute("DEALLOCATE ALL");
    Session::checked(PQprepare(connection, "described", sql.c_str(), 0, nullptr));
    auto const result = Session::checked(PQdescribePrepared(connection, "described"));

    Described described;
    for (int i = 0; i < PQnparams(result.get()); ++i) {
        described.parameters.push_back(type_info(session, PQparamtype(result.get(), i)));
    }
    for (int i = 0; i < PQnfields(result.get()); ++i) {
        DescribedColumn column{.name = PQfname(result.get(), i), .type = type_info(session, PQftype(result.get(), i))};
        find_origin(session, column, PQftable(result.get(), i), PQftablecol(result.get(), i));
        described.columns.push_back(std::move(column));
    }
    check_rights(session, described.parameters.size());
    return described;
}

}  // namespace buildplan::postgres
