// The members of the structs that are written: which names they may have, and what a row is made of.
// Throws SourceError for what cannot be a member in C++.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gen/source.hpp"
#include "gen/types.hpp"
#include "postgres/describe.hpp"

namespace buildplan::gen {

struct Member {
    std::string type;
    std::string name;
    friend bool operator==(Member const&, Member const&) = default;
};

// "list_workspaces" → "ListWorkspaces".
std::string pascal_case(std::string_view name);
// `what` says whose name it is, for the error.
void check_member(std::string const& name, std::string_view what, std::size_t line);
std::vector<Member> row_members(Query const& query, postgres::Described const& described, Types& types);

}  // namespace buildplan::gen
