// What the members of a struct must satisfy on the wire, declared beside the struct:
//
//     struct NewWorkspace {
//         std::string name;
//         std::optional<std::string> description;
//     };
//     BOOST_DESCRIBE_STRUCT(NewWorkspace, (), (name, description))
//     constexpr auto json_rules(NewWorkspace const*) {
//         return json::fields(json::field("name").length(1, 100).about("What people call it."),
//                             json::field("description").length(0, 2000));
//     }
//
// The function is found by argument-dependent lookup, as Boost.Describe finds its own, so it stands in the namespace of
// the struct and directly after it. A rule that names no member, or that cannot apply to its member's type, does not
// compile (see describe.hpp). A member without a rule gets Rule{}: nothing that reaches the program is unbounded.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/json/format.hpp"

namespace buildplan::json {

// Lengths count Unicode code points. In `std::optional<std::vector<std::string>>` and its like, length and format speak
// of the strings and items of the vector.
struct Rule {
    std::string_view member;  // the C++ name
    std::string_view wire;    // its name on the wire; empty: the C++ name in camelCase
    std::string_view description;
    std::uint32_t min_length = 0;
    std::uint32_t max_length = 10'000;
    std::uint32_t min_items = 0;
    std::uint32_t max_items = 1'000;
    std::uint32_t max_bytes = 65'536;
    std::optional<std::int64_t> lowest;
    std::optional<std::int64_t> highest;
    std::optional<double> lowest_real;
    std::optional<double> highest_real;
    Format form = Format::none;
    bool has_default = false;
    bool null_refused = false;
    bool null_written = false;
    // Which of the setters below were used, for the check against the member's type.
    bool sets_length = false;
    bool sets_items = false;
    bool sets_bytes = false;
    bool sets_range = false;
    bool sets_fraction = false;

    // Strings: code points.
    constexpr Rule length(std::uint32_t low, std::uint32_t high) const {
        if (low > high) throw "the shortest is longer than the longest";
        auto rule = *this;
        rule.min_length = low;
        rule.max_length = high;
        rule.sets_length = true;
        return rule;
    }
    constexpr Rule format(Format wanted) const {
        auto rule = *this;
        rule.form = wanted;
        return rule;
    }
    constexpr Rule email() const { return format(Format::email); }
    constexpr Rule url() const { return format(Format::url); }
    constexpr Rule uuid() const { return format(Format::uuid); }
    constexpr Rule slug() const { return format(Format::slug); }
    constexpr Rule line() const { return format(Format::line); }
    constexpr Rule date_time() const { return format(Format::date_time); }

    // Vectors and maps.
    constexpr Rule items(std::uint32_t low, std::uint32_t high) const {
        if (low > high) throw "the fewest are more than the most";
        auto rule = *this;
        rule.min_items = low;
        rule.max_items = high;
        rule.sets_items = true;
        return rule;
    }

    // Free JSON (boost::json::value, object): bytes of its compact form.
    constexpr Rule bytes(std::uint32_t most) const {
        auto rule = *this;
        rule.max_bytes = most;
        rule.sets_bytes = true;
        return rule;
    }

    // Numbers, both ends included.
    template <class Number>
    constexpr Rule at_least(Number low) const {
        auto rule = *this;
        rule.lowest_real = static_cast<double>(low);
        if constexpr (std::integral<Number>) rule.lowest = low;
        rule.sets_range = true;
        rule.sets_fraction = sets_fraction || !std::integral<Number>;
        return rule;
    }
    template <class Number>
    constexpr Rule at_most(Number high) const {
        auto rule = *this;
        rule.highest_real = static_cast<double>(high);
        if constexpr (std::integral<Number>) rule.highest = high;
        rule.sets_range = true;
        rule.sets_fraction = sets_fraction || !std::integral<Number>;
        return rule;
    }
    template <class Number>
    constexpr Rule range(Number low, Number high) const {
        if (high < low) throw "the lowest is higher than the highest";
        return at_least(low).at_most(high);
    }

    // May be left out: the member then keeps the value that the struct initialises it with.
    constexpr Rule defaulted() const {
        auto rule = *this;
        rule.has_default = true;
        return rule;
    }
    // An optional or Patch member may be left out, but null is an error.
    constexpr Rule not_null() const {
        auto rule = *this;
        rule.null_refused = true;
        return rule;
    }
    // An empty optional is written as null instead of being left out.
    constexpr Rule write_null() const {
        auto rule = *this;
        rule.null_written = true;
        return rule;
    }
    constexpr Rule named(std::string_view on_the_wire) const {
        auto rule = *this;
        rule.wire = on_the_wire;
        return rule;
    }
    constexpr Rule about(std::string_view what) const {
        auto rule = *this;
        rule.description = what;
        return rule;
    }
};

constexpr Rule field(std::string_view member) {
    Rule rule;
    rule.member = member;
    return rule;
}

template <std::size_t Count>
struct Fields {
    std::array<Rule, Count> rules;
    std::string_view title;  // the schema's name; empty: the struct's name
    std::string_view description;
    bool unknown_ignored = false;
    bool names_kept = false;

    constexpr Fields named(std::string_view schema_name) const {
        auto fields = *this;
        fields.title = schema_name;
        return fields;
    }
    constexpr Fields about(std::string_view what) const {
        auto fields = *this;
        fields.description = what;
        return fields;
    }
    // For what others send us: keys that the struct does not have are skipped instead of refused.
    constexpr Fields ignore_unknown() const {
        auto fields = *this;
        fields.unknown_ignored = true;
        return fields;
    }
    // For foreign APIs that write snake_case: no conversion to camelCase.
    constexpr Fields keep_names() const {
        auto fields = *this;
        fields.names_kept = true;
        return fields;
    }
};

template <std::same_as<Rule>... Rules>
constexpr Fields<sizeof...(Rules)> fields(Rules const&... rules) {
    return {.rules = {rules...}, .title = {}, .description = {}};
}

// How the enumerators of a described enum are written: as the C++ identifier, or in capitals. Declared beside the enum:
// `constexpr auto json_letters(Tier const*) { return json::Letters::capital; }`.
enum class Letters : std::uint8_t { as_written, capital };

}  // namespace buildplan::json
