// Names as the compiler knows them, made into names as the wire has them, at compile time: `organization_id` becomes
// `organizationId`. A trailing underscore, there because the word is a keyword (`delete_`), is dropped.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace buildplan::json {

// "buildplan::NewWorkspace".
template <class T>
consteval std::string_view type_name() {
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

// `count` names side by side in one array.
template <std::size_t Count, std::size_t Size>
struct NameTable {
    std::array<char, Size + 1> text{};
    std::array<std::size_t, Count + 1> ends{};  // ends[i]: where name i begins

    [[nodiscard]] constexpr std::string_view operator[](std::size_t i) const {
        return std::string_view{text.data(), Size}.substr(ends[i], ends[i + 1] - ends[i]);
    }
};

}  // namespace buildplan::json
