// What PostgreSQL knows of a statement that it has prepared; for tools/gen. Nothing is executed, but the rights of the
// role are checked as if it were. Blocks; throws ServerError for a statement that the server refuses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "postgres/session.hpp"

namespace buildplan::postgres {

struct TypeInfo {
    std::uint32_t oid = 0;
    std::string name{};  // as SQL writes it: "timestamp with time zone"
};

struct DescribedColumn {
    std::string name{};
    TypeInfo type{};
    // Where it comes from, "" for an expression.
    std::string table{};
    std::string column{};
    bool not_null = false;  // the table says so; an outer join may still make it NULL
};

struct Described {
    std::vector<TypeInfo> parameters{};
    std::vector<DescribedColumn> columns{};  // none for a statement without an answer
};

// The session is that of the role that will run the statement.
Described describe(Session& session, std::string const& sql);

}  // namespace buildplan::postgres
