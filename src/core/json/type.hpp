// A C++ type as the codec sees it at run time: constant tables that describe.hpp makes once per type, so that reading,
// writing and the schema are ordinary functions compiled once instead of templates compiled for every struct.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/json/rules.hpp"

namespace buildplan::json {

enum class Kind : std::uint8_t {
    boolean,
    integer,
    number,
    string,
    uuid,
    timestamp,
    enumeration,
    optional,
    patch,
    list,
    map,
    object,
    any,
    any_object,
};

struct Type;

struct Member {
    std::string_view prefix;  // `,"organizationId":`
    Type const* type;
    Rule rule;
    bool required;  // when reading
    void* (*in)(void* object);

    [[nodiscard]] constexpr std::string_view name() const { return prefix.substr(2, prefix.size() - 4); }
    [[nodiscard]] void const* in_const(void const* object) const { return in(const_cast<void*>(object)); }
};

struct Enumerator {
    std::string_view name;
    std::int64_t value;
};

// The elements of a vector.
struct Elements {
    void const* first;
    std::size_t count;
};

// Only the fields of its kind are set.
struct Type {
    Kind kind;

    // Integers.
    std::uint8_t width = 0;
    bool is_signed = false;

    // What an optional, patch, list or map holds.
    Type const* inner = nullptr;

    // Optional and patch: puts a fresh value in, and returns it. List: the same at its end.
    void* (*add)(void*) = nullptr;
    // Optional: empties. Patch: makes null.
    void (*clear)(void*) = nullptr;
    // Optional and patch: what it holds, or nullptr.
    void const* (*held)(void const*) = nullptr;
    // Patch.
    bool (*is_absent)(void const*) = nullptr;
    // List.
    std::size_t stride = 0;
    Elements (*elements)(void const*) = nullptr;
    void (*reserve)(void*, std::size_t) = nullptr;
    // Map.
    void* (*add_key)(void*, std::string_view key) = nullptr;
    void (*each)(void const*, void* context, void (*visit)(void* context, std::string_view key, void const*)) = nullptr;

    // Enumerations.
    std::span<Enumerator const> enumerators{};
    std::int64_t (*get)(void const*) = nullptr;
    void (*set)(void*, std::int64_t) = nullptr;

    // Objects; `name` for enumerations too: the C++ type's, with its namespaces.
    std::string_view name{};
    std::string_view title{};
    std::string_view description{};
    std::span<Member const> members{};
    bool unknown_ignored = false;
    // Calls `use` with an object as the struct initialises itself.
    void (*with_fresh)(void* context, void (*use)(void* context, void const* object)) = nullptr;
};

}  // namespace buildplan::json
