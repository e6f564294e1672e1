#include "gen/emit.hpp"

#include <algorithm>
#include <map>

#include "fmt/core.h"
#include "gen/members.hpp"
#include "gen/types.hpp"

namespace buildplan::gen {
namespace {

constexpr std::size_t max_columns = 120;

std::string_view oid_name(std::uint32_t type) {
    namespace oid = postgres::oid;
    switch (type) {
        case oid::boolean:
            return "boolean";
        case oid::int2:
            return "int2";
        case oid::int4:
            return "int4";
        case oid::int8:
            return "int8";
        case oid::float8:
            return "float8";
        case oid::timestamptz:
            return "timestamptz";
        case oid::text:
            return "text";
        case oid::varchar:
            return "varchar";
        case oid::bytea:
            return "bytea";
        case oid::jsonb:
            return "jsonb";
        case oid::uuid:
            return "uuid";
        case oid::text_array:
            return "text_array";
        case oid::int4_array:
            return "int4_array";
        case oid::int8_array:
            return "int8_array";
        case oid::timestamptz_array:
            return "timestamptz_array";
        case oid::uuid_array:
            return "uuid_array";
        default:
            throw std::logic_error(fmt::format("the type {} has no name here", type));
    }
}

class Emitter {
public:
    Emitter(std::string_view folder, Source const& source) : types_(source.types) {
        if (folder.starts_with("features/")) folder.remove_prefix(std::string_view("features/").size());
        for (char const c : folder) prefix_ += c == '/' ? '.' : c;
        space_ = "buildplan::";
        for (char const c : folder) space_ += c == '/' ? std::string("::") : std::string(1, c);
        space_ += "::queries";
    }

    void add(Query const& query, postgres::Described const& described) {
        if (query.answer == Answer::run && !described.columns.empty()) {
            throw SourceError(query.line, fmt::format("{} has an answer: say :one or :many", query.name));
        }
        if (query.answer != Answer::run && described.columns.empty()) {
            throw SourceError(query.line, fmt::format("{} has no answer: say :run", query.name));
        }
        if (query.answer == Answer::run && !query.row.empty()) {
            throw SourceError(query.line, fmt::format("{} has no answer that {} could hold", query.name, query.row));
        }
        auto const row = row_members(query, described, types_);
        auto const name = fmt::format("{}.{}", prefix_, query.name);
        if (name.size() > 63) throw SourceError(query.line, fmt::format("{} is longer than 63 characters", name));
        if (!query.row.empty()) shared_row(query, row);

        auto const type = pascal_case(query.name);
        if (rows_.contains(type)) throw SourceError(query.line, fmt::format("{} is the name of a row too", type));
        body_ += '\n';
        for (auto const& line : query.comment) body_ += line.empty() ? "//\n" : fmt::format("// {}\n", line);
        body_ += fmt::format("struct {} {{\n", type);
        parameters(query, described);
        statement(query, name, described);
        if (query.answer == Answer::run) {
            body_ += "    using Row = void;\n";
        } else if (query.row.empty()) {
            body_ += "    struct Row {\n";
            for (auto const& member : row) body_ += fmt::format("        {} {};\n", member.type, member.name);
            body_ += "    };\n";
        } else {
            body_ += fmt::format("    using Row = {};\n", query.row);
        }
        bind(query);
        if (query.answer != Answer::run) read(row);
        body_ += "};\n";
    }

    std::string text() {
        if (auto const* const rule = types_.unused()) {
            throw SourceError(rule->line, fmt::format("nothing has the type of {}: take the line away", rule->pattern));
        }
        std::string out = "// Made by script/gen from queries.sql beside it. Change that, not this.\n#pragma once\n\n";
        auto headers = types_.headers();
        headers.insert("<cstdint>");
        headers.insert("\"postgres/statement.hpp\"");
        bool system = true;
        // Those of the system sort after ours, and come first.
        for (char const kind : {'<', '"'}) {
            if (!system) out += '\n';
            for (auto const& header : headers) {
                if (header[0] == kind) out += fmt::format("#include {}\n", header);
            }
            system = false;
        }
        return out + fmt::format("\nnamespace {} {{\n{}\n}}  // namespace {}\n", space_, body_, space_);
    }

private:
    void shared_row(Query const& query, std::vector<Member> const& members) {
        auto const [found, added] = rows_.try_emplace(query.row, members);
        if (!added) {
            if (found->second != members) {
                throw SourceError(query.line,
                                  fmt::format("{} does not have the columns that {} has above", query.name, query.row));
            }
            return;
        }
        body_ += fmt::format("\nstruct {} {{\n", query.row);
        for (auto const& member : members) body_ += fmt::format("    {} {};\n", member.type, member.name);
        body_ += "};\n";
    }

    void parameters(Query const& query, postgres::Described const& described) {
        if (query.parameters.size() != described.parameters.size()) {
            throw std::logic_error(query.name + ": PostgreSQL counts other parameters");
        }
        for (std::size_t i = 0; i < query.parameters.size(); ++i) {
            auto const& parameter = query.parameters[i];
            check_member(parameter.name, "a parameter", query.line);
            body_ += fmt::format("    {} {}{};\n", types_.parameter(parameter, described.parameters[i], query.line),
                                 parameter.name, parameter.nullable ? "{}" : "");
        }
        if (!query.parameters.empty()) body_ += '\n';
    }

    void statement(Query const& query, std::string const& name, postgres::Described const& described) {
        if (query.sql.find(")sql\"") != std::string::npos) throw SourceError(query.line, "SQL may not hold )sql\"");
        // What does not fit on the line goes to the next, as clang-format has it.
        auto const first = std::min(query.sql.find('\n'), query.sql.size() + std::string_view(")sql\";").size());
        constexpr std::string_view declaration = "    static constexpr char sql[] =";
        bool const fits = declaration.size() + std::string_view(" R\"sql(").size() + first <= max_columns;
        body_ += fmt::format("{}{}R\"sql({})sql\";\n", declaration, fits ? " " : "\n        ", query.sql);
        if (!described.parameters.empty()) types_of(query, described);
        body_ += fmt::format("    static constexpr postgres::Statement statement{{\"{}\", sql, {}}};\n", name,
                             described.parameters.empty() ? "{}" : "parameter_types");
        constexpr std::string_view cardinalities[] = {"run", "one", "many"};
        body_ += fmt::format("    static constexpr auto cardinality = postgres::Cardinality::{};\n",
                             cardinalities[static_cast<std::size_t>(query.answer)]);
        if (query.system) body_ += "    static constexpr bool across_tenants = true;\n";
    }

    // One a line, named: clang-format leaves comments at the end of lines where they are when they are aligned.
    void types_of(Query const& query, postgres::Described const& described) {
        std::size_t widest = 0;
        for (auto const& type : described.parameters) widest = std::max(widest, oid_name(type.oid).size());
        body_ += "    static constexpr std::uint32_t parameter_types[] = {\n";
        for (std::size_t i = 0; i < described.parameters.size(); ++i) {
            auto const type = oid_name(described.parameters[i].oid);
            body_ += fmt::format("        postgres::oid::{},{}  // {}\n", type, std::string(widest - type.size(), ' '),
                                 query.parameters[i].name);
        }
        body_ += "    };\n";
    }

    void bind(Query const& query) {
        if (query.parameters.empty()) {
            body_ += "    void bind(postgres::Parameters&) const {}\n";
            return;
        }
        if (query.parameters.size() == 1) {
            body_ += fmt::format("    void bind(postgres::Parameters& parameters) const {{ parameters.add({}); }}\n",
                                 query.parameters[0].name);
            return;
        }
        body_ += "    void bind(postgres::Parameters& parameters) const {\n";
        for (auto const& parameter : query.parameters)
            body_ += fmt::format("        parameters.add({});\n", parameter.name);
        body_ += "    }\n";
    }

    void read(std::vector<Member> const& row) {
        body_ += "    static Row read(postgres::RowView row) {\n        return {\n";
        for (std::size_t i = 0; i < row.size(); ++i) {
            body_ += fmt::format("            .{} = row.get<{}>({}),\n", row[i].name, row[i].type, i);
        }
        body_ += "        };\n    }\n";
    }

    Types types_;
    std::string prefix_;
    std::string space_;
    std::string body_;
    std::map<std::string, std::vector<Member>> rows_;
};

}  // namespace

std::string emit(std::string_view folder, Source const& source, std::span<postgres::Described const> described) {
    Emitter emitter(folder, source);
    for (std::size_t i = 0; i < source.queries.size(); ++i) emitter.add(source.queries[i], described[i]);
    return emitter.text();
}

}  // namespace buildplan::gen
