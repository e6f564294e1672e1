// The part of describe.hpp for values without names: scalars, and what holds other values.
#pragma once

#include <boost/json/value.hpp>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/id.hpp"
#include "core/json/patch.hpp"
#include "core/json/type.hpp"
#include "core/time.hpp"

namespace buildplan::json::detail {

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

template <class T>
constexpr bool is_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

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

}  // namespace buildplan::json::detail
