// The part of describe.hpp for enums and structs, whose names and rules are put together at compile time.
#pragma once

#include <algorithm>
#include <boost/describe.hpp>

#include "core/json/describe_values.hpp"
#include "core/json/names.hpp"
#include "core/json/rules.hpp"

namespace buildplan::json::detail {

template <class T>
consteval auto rules_of() {
    if constexpr (requires(T const* t) { json_rules(t); }) {
        return json_rules(static_cast<T const*>(nullptr));
    } else {
        return fields();
    }
}

template <class T>
consteval Letters letters_of() {
    if constexpr (requires(T const* t) { json_letters(t); }) {
        return json_letters(static_cast<T const*>(nullptr));
    } else {
        return Letters::as_written;
    }
}

// What is inside the optionals, patches, vectors and maps around it.
template <class T>
struct Layers {
    using Leaf = T;
    static constexpr bool nullable = false;
    static constexpr bool many = false;
};
template <class T>
struct Layers<std::optional<T>> : Layers<T> {
    static_assert(!Layers<T>::nullable, "JSON has one null: no optional of an optional.");
    static constexpr bool nullable = true;
};
template <class T>
struct Layers<Patch<T>> : Layers<T> {
    static_assert(!Layers<T>::nullable, "A Patch says itself what null means.");
    static constexpr bool nullable = true;
};
template <class T>
struct Layers<std::vector<T>> : Layers<T> {
    static constexpr bool nullable = false;
    static constexpr bool many = true;
};
template <class T, class Less>
struct Layers<std::map<std::string, T, Less>> : Layers<std::vector<T>> {};

template <class T>
constexpr bool is_free = std::same_as<T, boost::json::value> || std::same_as<T, boost::json::object>;

// Why `rule` cannot apply to a member of type M; empty when it can.
template <class M>
constexpr std::string_view misfit(Rule const& rule) {
    using Leaf = typename Layers<M>::Leaf;
    constexpr bool text = std::same_as<Leaf, std::string>;
    constexpr bool real = std::same_as<Leaf, double>;
    if (rule.sets_length && !text) return "length() is for strings";
    if (rule.form != Format::none && !text) return "a format is for strings";
    if (rule.sets_items && !Layers<M>::many) return "items() is for vectors and maps";
    if (rule.sets_bytes && !is_free<Leaf>) return "bytes() is for free JSON";
    if (rule.sets_range && !is_integer<Leaf> && !real) return "a range is for numbers";
    if (rule.sets_fraction && !real) return "the range of an integer has integer ends";
    if ((rule.null_refused || rule.null_written) && !Layers<M>::nullable) {
        return "not_null() and write_null() are for optionals";
    }
    return {};
}

// Whether each rule names one of the members, and none is named twice.
template <class Rules, class Names>
constexpr bool name_members(Rules const& rules, Names const& names) {
    for (auto const& rule : rules) {
        if (std::ranges::count(names, rule.member) != 1) return false;
        if (std::ranges::count(rules, rule.member, &Rule::member) != 1) return false;
    }
    return true;
}

template <class T>
    requires std::is_enum_v<T>
struct Describe<T> {
    static_assert(boost::describe::has_describe_enumerators<T>::value, "Describe this enum with BOOST_DESCRIBE_ENUM.");

    template <class... D>
    static consteval auto names(boost::mp11::mp_list<D...>*) {
        return std::array<std::string_view, sizeof...(D)>{D::name...};
    }
    template <class... D>
    static consteval auto values(boost::mp11::mp_list<D...>*) {
        return std::array<std::int64_t, sizeof...(D)>{static_cast<std::int64_t>(D::value)...};
    }
    using List = boost::mp11::mp_rename<boost::describe::describe_enumerators<T>, boost::mp11::mp_list>;
    static constexpr std::size_t count = boost::mp11::mp_size<List>::value;
    static_assert(count > 0, "An enum without enumerators has no values.");
    static constexpr auto cpp_names = names(static_cast<List*>(nullptr));
    static constexpr auto casings = [] {
        std::array<Casing, count> all{};
        all.fill(letters_of<T>() == Letters::capital ? Casing::capital : Casing::kept);
        return all;
    }();
    static constexpr auto table = join<joined_size(cpp_names, casings, 0)>(cpp_names, casings, "", "");
    static constexpr auto enumerators = [] {
        constexpr auto numbers = values(static_cast<List*>(nullptr));
        std::array<Enumerator, count> all{};
        for (std::size_t i = 0; i < count; ++i) all[i] = {table[i], numbers[i]};
        return all;
    }();

    static consteval Type make() {
        Type type{.kind = Kind::enumeration};
        type.enumerators = enumerators;
        type.name = type_name<T>();
        type.get = [](void const* at) { return static_cast<std::int64_t>(*static_cast<T const*>(at)); };
        type.set = [](void* at, std::int64_t value) { *static_cast<T*>(at) = static_cast<T>(value); };
        return type;
    }
};

template <class T>
    requires std::is_class_v<T> && boost::describe::has_describe_members<T>::value
struct Describe<T> {
    static_assert(std::is_default_constructible_v<T>, "The codec makes the struct first and fills it then.");

    using List = boost::mp11::mp_rename<
        boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>,
        boost::mp11::mp_list>;
    static constexpr std::size_t count = boost::mp11::mp_size<List>::value;
    static_assert(count <= 64, "More than 64 members: put some of them into a struct of their own.");
    static constexpr auto rules = rules_of<T>();

    template <class... D>
    static consteval auto names(boost::mp11::mp_list<D...>*) {
        return std::array<std::string_view, sizeof...(D)>{D::name...};
    }
    static constexpr auto cpp_names = names(static_cast<List*>(nullptr));

    static_assert(name_members(rules.rules, cpp_names), "A rule names no member of the struct, or two rules one.");

    static consteval Rule rule_for(std::string_view name) {
        Rule found;
        for (auto const& rule : rules.rules) {
            if (rule.member == name) found = rule;
        }
        return found;
    }
    static constexpr auto casings = [] {
        std::array<Casing, count> all{};
        for (std::size_t i = 0; i < count; ++i) {
            bool const kept = rules.names_kept || !rule_for(cpp_names[i]).wire.empty();
            all[i] = kept ? Casing::kept : Casing::camel;
        }
        return all;
    }();
    static constexpr auto wire_names = [] {
        auto all = cpp_names;
        for (auto& name : all) {
            auto const wire = rule_for(name).wire;
            if (!wire.empty()) name = wire;
        }
        return all;
    }();
    static constexpr auto table = join<joined_size(wire_names, casings, 4)>(wire_names, casings, ",\"", "\":");

    static consteval bool names_differ() {
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (table[i] == table[j]) return false;
            }
        }
        return true;
    }
    static_assert(names_differ(), "Two members have one name on the wire.");

    template <class D>
    static consteval Member member(std::size_t index) {
        using M = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;
        constexpr auto rule = rule_for(D::name);
        static_assert(misfit<M>(rule).empty(), "A rule does not apply to its member's type: see misfit().");
        return {
            .prefix = table[index],
            .type = &TypeOf<M>::value,
            .rule = rule,
            .required = !Layers<M>::nullable && !rule.has_default,
            .in = [](void* at) -> void* { return &(static_cast<T*>(at)->*D::pointer); },
        };
    }
    template <class... D>
    static consteval auto all_members(boost::mp11::mp_list<D...>*) {
        std::size_t index = 0;
        return std::array<Member, sizeof...(D)>{member<D>(index++)...};
    }

    static consteval Type make() {
        static constexpr auto members = all_members(static_cast<List*>(nullptr));
        Type type{.kind = Kind::object};
        type.members = members;
        type.name = type_name<T>();
        type.title = rules.title;
        type.description = rules.description;
        type.unknown_ignored = rules.unknown_ignored;
        type.with_fresh = [](void* context, auto use) {
            T const fresh{};
            use(context, &fresh);
        };
        return type;
    }
};

}  // namespace buildplan::json::detail
