// The path of a route: "/v1/workspaces/{workspaceId}/files/{name:text}". A parameter fills one whole segment and has a
// kind, so that what cannot be one never reaches a handler: `uuid` (what a name that ends in "Id" is without saying
// so), `slug` (json/format.hpp), `number` (decimal, at most 18 digits), `text` (1 to 255 bytes of UTF-8 after
// percent-decoding, without controls), or `rest`, the last one only: everything to the end, slashes included. A path
// whose parameter does not fit is a 404, since nothing can be there. Patterns are checked when the program is compiled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan::api {

enum class ParameterKind : std::uint8_t { uuid, slug, number, text, rest };

// A segment of a pattern: either a literal or a parameter.
struct Segment {
    std::string_view literal;
    std::string_view parameter;  // empty: a literal
    ParameterKind kind = ParameterKind::text;
};

inline constexpr std::size_t max_parameters = 6;

// Takes the first segment off `path`, which begins with "/": "/a/b" becomes "/b" and gives "a".
constexpr std::string_view take_segment(std::string_view& path) noexcept {
    path.remove_prefix(1);
    auto const end = path.find('/');
    auto const segment = path.substr(0, end);
    path.remove_prefix(segment.size());
    return segment;
}

constexpr Segment parse_segment(std::string_view text) {
    if (text.empty()) throw "a path has an empty segment";
    if (text.find_first_of("{}") == std::string_view::npos) {
        for (char const c : text) {
            bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!plain && c != '-' && c != '.' && c != '_' && c != '~') throw "a literal segment has an odd character";
        }
        return {.literal = text, .parameter = {}};
    }
    if (text.front() != '{' || text.back() != '}') throw "a parameter fills a whole segment";
    auto const inside = text.substr(1, text.size() - 2);
    auto const colon = inside.find(':');
    Segment segment{.literal = {}, .parameter = inside.substr(0, colon)};
    if (segment.parameter.empty()) throw "a parameter has no name";
    for (char const c : segment.parameter) {
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter) throw "a parameter's name is in camelCase";
    }
    if (colon == std::string_view::npos) {
        if (!segment.parameter.ends_with("Id")) throw "a parameter that is no Id says its kind: {name:slug}";
        segment.kind = ParameterKind::uuid;
        return segment;
    }
    auto const kind = inside.substr(colon + 1);
    if (kind == "uuid") {
        segment.kind = ParameterKind::uuid;
    } else if (kind == "slug") {
        segment.kind = ParameterKind::slug;
    } else if (kind == "number") {
        segment.kind = ParameterKind::number;
    } else if (kind == "text") {
        segment.kind = ParameterKind::text;
    } else if (kind == "rest") {
        segment.kind = ParameterKind::rest;
    } else {
        throw "an unknown kind of parameter";
    }
    return segment;
}

// Throws a sentence, so that a constexpr table with a bad path does not compile.
constexpr void check_pattern(std::string_view pattern) {
    if (!pattern.starts_with('/')) throw "a path begins with a slash";
    if (pattern == "/") return;
    std::size_t parameters = 0;
    std::string_view names[max_parameters];
    while (!pattern.empty()) {
        auto const segment = parse_segment(take_segment(pattern));
        if (segment.parameter.empty()) continue;
        if (segment.kind == ParameterKind::rest && !pattern.empty()) throw "nothing comes after {…:rest}";
        for (std::size_t i = 0; i < parameters; ++i) {
            if (names[i] == segment.parameter) throw "two parameters of a path have one name";
        }
        if (parameters == max_parameters) throw "a path has too many parameters";
        names[parameters++] = segment.parameter;
    }
}

// Percent-decoding (RFC 3986 section 2.1). Nothing where a % is not followed by two hex digits. With `plus_is_space`,
// as in the query of a form.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// Everything but unreserved characters (RFC 3986 section 2.3) becomes %XX.
std::string percent_encode(std::string_view text);

// Whether `raw`, as it stands in the path, can be such a parameter.
bool fits(ParameterKind kind, std::string_view raw);

}  // namespace buildplan::api
