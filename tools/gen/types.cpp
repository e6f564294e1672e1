#include "gen/types.hpp"

#include "fmt/core.h"

namespace buildplan::gen {
namespace {

namespace oid = postgres::oid;

// A type that needs no rule. For an array, `row` and `parameter` are those of the elements.
struct Known {
    std::uint32_t oid;
    std::string_view row;
    std::string_view parameter;
    std::string_view header;
    bool array = false;
};

constexpr Known known_types[] = {
    {oid::boolean, "bool", "bool", ""},
    {oid::int2, "std::int16_t", "std::int16_t", "<cstdint>"},
    {oid::int4, "std::int32_t", "std::int32_t", "<cstdint>"},
    {oid::int8, "std::int64_t", "std::int64_t", "<cstdint>"},
    {oid::float8, "double", "double", ""},
    {oid::timestamptz, "Timestamp", "Timestamp", "\"core/time.hpp\""},
    {oid::text, "std::string", "std::string_view", "<string>"},
    {oid::varchar, "std::string", "std::string_view", "<string>"},
    {oid::bytea, "std::string", "std::string_view", "<string>"},
    {oid::jsonb, "postgres::Json", "postgres::JsonView", ""},
    {oid::text_array, "std::string", "std::string", "<string>", true},
    {oid::int4_array, "std::int32_t", "std::int32_t", "<cstdint>", true},
    {oid::int8_array, "std::int64_t", "std::int64_t", "<cstdint>", true},
    {oid::timestamptz_array, "Timestamp", "Timestamp", "\"core/time.hpp\"", true},
};

Known const* find(std::uint32_t type) {
    for (auto const& known : known_types) {
        if (known.oid == type) return &known;
    }
    return nullptr;
}

bool is_uuid(std::uint32_t type) { return type == oid::uuid || type == oid::uuid_array; }

[[noreturn]] void unspoken(std::string const& what, std::string const& type, std::size_t line) {
    throw SourceError(
        line,
        fmt::format("{} has the type {}, which the program does not speak: cast it (::text, ::bigint)", what, type));
}

}  // namespace

Types::Types(std::vector<TypeRule> rules) : rules_(std::move(rules)), own_(rules_.size()) {
    for (auto const* const name : {"organization_id", "organizations.id"}) {
        rules_.push_back({.pattern = name, .type = "OrganizationId", .header = "core/id.hpp"});
    }
    for (auto const* const name : {"user_id", "users.id"}) {
        rules_.push_back({.pattern = name, .type = "UserId", .header = "core/id.hpp"});
    }
}

std::string Types::id(std::string_view exact, std::string_view name, std::string_view what, std::size_t line) {
    for (auto const pattern : {exact, name}) {
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (rules_[i].pattern != pattern) continue;
            used_.insert(i);
            auto const& header = rules_[i].header;
            if (!header.empty()) headers_.insert(fmt::format("\"{}\"", header));
            if (rules_[i].type == "Uuid") headers_.insert("\"core/uuid.hpp\"");
            return rules_[i].type;
        }
    }
    throw SourceError(line, fmt::format("{} is a uuid without a type: add '-- type: {} SomethingId \"its/header.hpp\"' "
                                        "before the first statement",
                                        what, exact));
}

std::string Types::parameter(NamedParameter const& parameter, postgres::TypeInfo const& type, std::size_t line) {
    auto const what = "$" + parameter.name;
    std::string name;
    bool array = type.oid == oid::uuid_array;
    if (is_uuid(type.oid)) {
        name = id(what, parameter.name, what, line);
    } else if (auto const* const known = find(type.oid)) {
        name = known->parameter;
        array = known->array;
        if (name == "std::string_view") {
            headers_.insert("<string_view>");
        } else if (!known->header.empty()) {
            headers_.emplace(known->header);
        }
    } else {
        unspoken(what, type.name, line);
    }
    if (array) {
        name = fmt::format("std::span<{} const>", name);
        headers_.insert("<span>");
    }
    if (!parameter.nullable) return name;
    headers_.insert("<optional>");
    return fmt::format("std::optional<{}>", name);
}

std::string Types::column(postgres::DescribedColumn const& column, bool nullable, std::size_t line) {
    auto const what = fmt::format("the column {}", column.name);
    std::string name;
    bool array = column.type.oid == oid::uuid_array;
    if (is_uuid(column.type.oid)) {
        auto const exact = column.table.empty() ? column.name : fmt::format("{}.{}", column.table, column.column);
        name = id(exact, column.table.empty() ? column.name : column.column, what, line);
    } else if (auto const* const known = find(column.type.oid)) {
        name = known->row;
        array = known->array;
        if (!known->header.empty()) headers_.emplace(known->header);
    } else {
        unspoken(what, column.type.name, line);
    }
    if (array) {
        name = fmt::format("std::vector<{}>", name);
        headers_.insert("<vector>");
    }
    if (!nullable) return name;
    headers_.insert("<optional>");
    return fmt::format("std::optional<{}>", name);
}

TypeRule const* Types::unused() const noexcept {
    for (std::size_t i = 0; i < own_; ++i) {
        if (!used_.contains(i)) return &rules_[i];
    }
    return nullptr;
}

}  // namespace buildplan::gen
