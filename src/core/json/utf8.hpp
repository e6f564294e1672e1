// UTF-8 as Unicode 15 table 3-7 defines it: no overlong forms, no surrogates, nothing past U+10FFFF. Never throws.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace buildplan::json::utf8 {

// What stands at the beginning of some bytes: one well-formed sequence, or the longest piece that one U+FFFD replaces
// (Unicode 15 section 3.9, "substitution of maximal subparts").
struct Step {
    std::size_t length;
    bool well_formed;
};

// `at` must lie before `end`.
Step step(char const* at, char const* end) noexcept;

// How many code points there are; nothing when the text is not well-formed.
std::optional<std::size_t> code_points(std::string_view text) noexcept;

}  // namespace buildplan::json::utf8
