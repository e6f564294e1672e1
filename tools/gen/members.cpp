#include "gen/members.hpp"

#include <algorithm>
#include <iterator>

#include "fmt/core.h"

namespace buildplan::gen {
namespace {

// What a member may not be called: keywords that also are names of columns somewhere, and the struct's own members.
constexpr std::string_view reserved[] = {"auto",
                                         "bool",
                                         "break",
                                         "case",
                                         "catch",
                                         "char",
                                         "class",
                                         "const",
                                         "continue",
                                         "default",
                                         "delete",
                                         "do",
                                         "double",
                                         "else",
                                         "enum",
                                         "explicit",
                                         "export",
                                         "extern",
                                         "false",
                                         "float",
                                         "for",
                                         "friend",
                                         "goto",
                                         "if",
                                         "inline",
                                         "int",
                                         "long",
                                         "mutable",
                                         "namespace",
                                         "new",
                                         "operator",
                                         "private",
                                         "protected",
                                         "public",
                                         "register",
                                         "requires",
                                         "return",
                                         "short",
                                         "signed",
                                         "sizeof",
                                         "static",
                                         "struct",
                                         "switch",
                                         "template",
                                         "this",
                                         "throw",
                                         "true",
                                         "try",
                                         "typedef",
                                         "typename",
                                         "union",
                                         "unsigned",
                                         "using",
                                         "virtual",
                                         "void",
                                         "volatile",
                                         "while",
                                         "and",
                                         "or",
                                         "not",
                                         "xor",
                                         "parameters",
                                         "row",
                                         "sql",
                                         "statement",
                                         "bind",
                                         "read",
                                         "cardinality",
                                         "parameter_types",
                                         "across_tenants",
                                         "postgres",
                                         "std"};

}  // namespace

std::string pascal_case(std::string_view name) {
    std::string out;
    bool start = true;
    for (char const c : name) {
        if (c == '_') {
            start = true;
            continue;
        }
        out += start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        start = false;
    }
    return out;
}

void check_member(std::string const& name, std::string_view what, std::size_t line) {
    if (name.empty() || name == "?column?") throw SourceError(line, fmt::format("{} has no name: use AS", what));
    bool const snake = name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                       });
    if (!snake || std::ranges::find(reserved, name) != std::end(reserved)) {
        throw SourceError(line, fmt::format("{} cannot be called '{}' in C++: choose another name", what, name));
    }
}

std::vector<Member> row_members(Query const& query, postgres::Described const& described, Types& types) {
    std::vector<Member> members;
    auto const has = [](std::vector<std::string> const& names, std::string const& name) {
        return std::ranges::find(names, name) != names.end();
    };
    for (std::size_t i = 0; i < described.columns.size(); ++i) {
        auto const& column = described.columns[i];
        check_member(column.name, fmt::format("column {}", i + 1), query.line);
        if (std::ranges::find(members, column.name, &Member::name) != members.end()) {
            throw SourceError(query.line, fmt::format("two columns are called {}: use AS", column.name));
        }
        bool const known = column.not_null && !query.outer_join;
        bool const nullable = has(query.nullable, column.name) || (!known && !has(query.never_null, column.name));
        members.push_back({types.column(column, nullable, query.line), column.name});
    }
    for (auto const* const names : {&query.never_null, &query.nullable}) {
        for (auto const& name : *names) {
            if (std::ranges::find(members, name, &Member::name) == members.end()) {
                throw SourceError(query.line, fmt::format("there is no column {} to say anything of", name));
            }
        }
    }
    return members;
}

}  // namespace buildplan::gen
