// Where in a document something is. A Path is a chain of steps that live on the stack of whoever walks the document,
// so that walking costs nothing; it becomes a JSON pointer (RFC 6901) only when there is something to complain about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace buildplan::json {

struct Path {
    Path const* parent = nullptr;  // nullptr: this step starts at the root
    std::string_view key;
    std::size_t index = 0;
    bool is_index = false;

    static Path member(Path const* parent, std::string_view key) noexcept { return {parent, key, 0, false}; }
    static Path element(Path const* parent, std::size_t index) noexcept { return {parent, {}, index, true}; }
};

// Appends "/" and the token with `~` as ~0 and `/` as ~1 (RFC 6901 section 3).
void append_token(std::string& pointer, std::string_view token);

// `prefix` and then the path; nullptr is the root.
std::string to_pointer(std::string_view prefix, Path const* path);

}  // namespace buildplan::json
