// Names as the compiler knows them, made into names as the wire has them, at compile time: `organization_id` becomes
// `organizationId`. A trailing underscore, there because the word is a keyword (`delete_`), is dropped.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace buildplan::json {

// "buildplan::NewWorkspace". Not consteval: without optimization clang 19 calls it from what lambdas of a consteval
// function lie in.
template <class T>
constexpr std::string_view type_name() {
    std::string_view const all = __PRETTY_FUNCTION__;
    constexpr std::string_view mark = "[T = ";
    auto const from = all.find(mark) + mark.size();
    return all.substr(from, all.size() - from - 1);
}

enum class Casing : unsigned char { kept, camel, capital };

// Hands the characters of `name` in that casing to `put`, one by one.
template <class Put>
constexpr void recase(std::string_view name, Casing casing, Put put) {
    if (name.ends_with('_')) name.remove_suffix(1);
    bool raise = false;
    for (char const c : name) {
        if (casing == Casing::camel && c == '_') {
            raise = true;
            continue;
        }
        bool const lower = c >= 'a' && c <= 'z';
        put(lower && (raise || casing == Casing::capital) ? static_cast<char>(c - 'a' + 'A') : c);
        raise = false;
    }
}

// Names side by side in one array.
template <std::size_t Count, std::size_t Size>
struct NameTable {
    std::array<char, Size + 1> text{};
    std::array<std::size_t, Count + 1> ends{};  // ends[i]: where name i begins

    [[nodiscard]] constexpr std::string_view operator[](std::size_t i) const {
        return std::string_view{text.data(), Size}.substr(ends[i], ends[i + 1] - ends[i]);
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

}  // namespace buildplan::json
