// A queries.sql as people write it:
//
//     -- type: workspaces.id WorkspaceId "features/organizations/types.hpp"
//     -- type: $id WorkspaceId
//
//     -- name: list_workspaces :many WorkspaceRow !open_tasks
//     -- Newest first.
//     SELECT id, name, archived_at, … AS open_tasks FROM workspaces
//     WHERE (created_at, id) < ($created_before, $id_before) ORDER BY created_at DESC, id DESC LIMIT $limit;
//
// After the name: `:many`, `:one` (at most one row) or `:run` (no rows); a name for the row, when several statements
// share it; `!column` is never NULL and `?column` may be (what the catalog knows need not be said); `system` for a
// statement across tenants, run as buildplan_system. `$name` is a parameter, `$name?` one that may be NULL.
// `-- type:` gives a uuid its strong type: for `table.column`, for `$parameter`, or for a column or parameter of that
// name anywhere; with the header that has it.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace buildplan::gen {

// Something that the writer of a queries.sql has to put right.
class SourceError : public std::runtime_error {
public:
    SourceError(std::size_t line_, std::string const& message) : std::runtime_error(message), line(line_) {}
    std::size_t line;  // from 1
};

struct TypeRule {
    std::string pattern;  // "workspaces.id", "$id", "workspace_id"
    std::string type;
    std::string header;  // may be empty
    std::size_t line = 0;
};

struct NamedParameter {
    std::string name;
    bool nullable = false;
};

enum class Answer : unsigned char { run, one, many };

struct Query {
    std::string name;  // "list_workspaces"
    std::size_t line = 0;
    Answer answer = Answer::run;
    std::string row;  // "" for a row of its own
    std::vector<std::string> never_null;
    std::vector<std::string> nullable;
    bool system = false;
    std::vector<std::string> comment;
    std::string sql;                 // with $1, $2, …, without comments
    std::vector<std::size_t> lines;  // of each byte of it, in the file
    std::vector<NamedParameter> parameters;
    bool outer_join = false;  // or anything else that makes NULLs of columns that have none
};

struct Source {
    std::vector<TypeRule> types;
    std::vector<Query> queries;
};

Source parse(std::string_view text);

}  // namespace buildplan::gen
