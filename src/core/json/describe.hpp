// type_of<T>(): the run-time description of a C++ type. Takes bool, integers, double, std::string, Uuid, Id<Tag>,
// Timestamp, std::optional, std::vector, std::map with string keys, Patch, enums of BOOST_DESCRIBE_ENUM, structs of
// BOOST_DESCRIBE_STRUCT (default-constructible, with their described bases), boost::json::value and object. Other
// types, and rules that do not fit, are refused at compile time with a sentence that says why.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "core/id.hpp"
#include "core/json/names.hpp"
#include "core/json/patch.hpp"
#include "core/json/rules.hpp"
#include "core/json/type.hpp"
#include "core/time.hpp"

namespace buildplan::json {

namespace detail {

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

template <class T>
struct Describe {
    static_assert(sizeof(T) == 0,
                  "The JSON codec does not know this type: describe it with BOOST_DESCRIBE_STRUCT or _ENUM.");
};

// Declared before it is defined, so that recursive structs can point at themselves.
template <class T>
struct TypeOf {
    static Type const value;
};
template <class T>
constinit Type const TypeOf<T>::value = Describe<T>::make();

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
constexpr bool is_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

template <class T>
constexpr bool is_free = std::same_as<T, boost::json::value> || std::same_as<T, boost::json::object>;

template <class M>
consteval Rule checked(Rule rule) {
    using Leaf = typename Layers<M>::Leaf;
    bool const nullable = Layers<M>::nullable;
    if (rule.sets_length && !std::same_as<Leaf, std::string>) throw "length() is for strings";
    if (rule.form != Format::none && !std::same_as<Leaf, std::string>) throw "a format is for strings";
    if (rule.sets_items && !Layers<M>::many) throw "items() is for vectors and maps";
    if (rule.sets_bytes && !is_free<Leaf>) throw "bytes() is for free JSON";
    if (rule.sets_range && !is_integer<Leaf> && !std::same_as<Leaf, double>) throw "a range is for numbers";
    if (rule.sets_fraction && !std::same_as<Leaf, double>) throw "the range of an integer has integer ends";
    if ((rule.null_refused || rule.null_written) && !nullable) throw "not_null() and write_null() are for optionals";
    return rule;
}

template <std::integral T>
    requires is_integer<T>
struct Describe<T> {
    static consteval Type make() {
        return {.kind = Kind::integer, .width = sizeof(T), .is_signed = std::is_signed_v<T>};
    }
};
template <>
struct Describe<bool> {
    static consteval Type make() { return {.kind = Kind::boolean}; }
};
template <>
struct Describe<double> {
    static consteval Type make() { return {.kind = Kind::number}; }
};
template <>
struct Describe<std::string> {
    static consteval Type make() { return {.kind = Kind::string}; }
};
template <>
struct Describe<Uuid> {
    static consteval Type make() { return {.kind = Kind::uuid}; }
};
template <class Tag>
struct Describe<Id<Tag>> : Describe<Uuid> {
    // An Id is read and written as the Uuid that it begins with.
    static_assert(std::is_standard_layout_v<Id<Tag>> && sizeof(Id<Tag>) == sizeof(Uuid));
};
template <>
struct Describe<Timestamp> {
    static consteval Type make() { return {.kind = Kind::timestamp}; }
};
template <>
struct Describe<boost::json::value> {
    static consteval Type make() { return {.kind = Kind::any}; }
};
template <>
struct Describe<boost::json::object> {
    static consteval Type make() { return {.kind = Kind::any_object}; }
};

template <class T>
struct Describe<std::optional<T>> {
    using Optional = std::optional<T>;
    static consteval Type make() {
        Type type{.kind = Kind::optional, .inner = &TypeOf<T>::value};
        type.add = [](void* at) -> void* { return &static_cast<Optional*>(at)->emplace(); };
        type.clear = [](void* at) { static_cast<Optional*>(at)->reset(); };
        type.held = [](void const* at) -> void const* {
            auto const& optional = *static_cast<Optional const*>(at);
            return optional ? &*optional : nullptr;
        };
        return type;
    }
};

template <class T>
struct Describe<Patch<T>> {
    static consteval Type make() {
        Type type{.kind = Kind::patch, .inner = &TypeOf<T>::value};
        type.add = [](void* at) -> void* { return &static_cast<Patch<T>*>(at)->emplace(); };
        type.clear = [](void* at) { static_cast<Patch<T>*>(at)->set_null(); };
        type.held = [](void const* at) -> void const* {
            auto const& patch = *static_cast<Patch<T> const*>(at);
            return patch.has_value() ? &patch.value() : nullptr;
        };
        type.is_absent = [](void const* at) { return static_cast<Patch<T> const*>(at)->is_absent(); };
        return type;
    }
};

template <class T>
struct Describe<std::vector<T>> {
    static_assert(!std::same_as<T, bool>, "std::vector<bool> holds no bools: use another element type.");
    using List = std::vector<T>;
    static consteval Type make() {
        Type type{.kind = Kind::list, .inner = &TypeOf<T>::value};
        type.stride = sizeof(T);
        type.add = [](void* at) -> void* { return &static_cast<List*>(at)->emplace_back(); };
        type.clear = [](void* at) { static_cast<List*>(at)->clear(); };
        type.reserve = [](void* at, std::size_t count) { static_cast<List*>(at)->reserve(count); };
        type.elements = [](void const* at) -> Elements {
            auto const& list = *static_cast<List const*>(at);
            return {list.data(), list.size()};
        };
        return type;
    }
};

template <class T, class Less>
struct Describe<std::map<std::string, T, Less>> {
    using Map = std::map<std::string, T, Less>;
    static consteval Type make() {
        Type type{.kind = Kind::map, .inner = &TypeOf<T>::value};
        type.clear = [](void* at) { static_cast<Map*>(at)->clear(); };
        type.add_key = [](void* at, std::string_view key) -> void* {
            return &(*static_cast<Map*>(at))[std::string{key}];
        };
        type.each = [](void const* at, void* context, auto visit) {
            for (auto const& [key, value] : *static_cast<Map const*>(at)) visit(context, key, &value);
        };
        return type;
    }
};

// All names side by side, each as `before` + name + `after`.
template <std::size_t Size, std::size_t Count>
consteval NameTable<Count, Size> join(std::array<std::string_view, Count> const& names,
                                      std::array<Casing, Count> const& casings, std::string_view before,
                                      std::string_view after) {
    NameTable<Count, Size> table;
    std::size_t at = 0;
    auto const put = [&](char c) { table.text[at++] = c; };
    for (std::size_t i = 0; i < Count; ++i) {
        table.ends[i] = at;
        for (char const c : before) put(c);
        recase(names[i], casings[i], put);
        for (char const c : after) put(c);
    }
    table.ends[Count] = at;
    return table;
}

template <std::size_t Count>
consteval std::size_t joined_size(std::array<std::string_view, Count> const& names,
                                  std::array<Casing, Count> const& casings, std::size_t around) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < Count; ++i) {
        size += around;
        recase(names[i], casings[i], [&](char) { ++size; });
    }
    return size;
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

    static consteval bool all_rules_name_members() {
        for (auto const& rule : rules.rules) {
            bool found = false;
            for (auto const name : cpp_names) found = found || name == rule.member;
            if (!found) return false;
        }
        return true;
    }
    static_assert(all_rules_name_members(), "A rule names a member that the struct does not have.");

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
        auto const rule = checked<M>(rule_for(D::name));
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

}  // namespace detail

template <class T>
Type const& type_of() noexcept {
    return detail::TypeOf<T>::value;
}

}  // namespace buildplan::json
