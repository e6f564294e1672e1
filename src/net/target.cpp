#include "net/target.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace buildplan::net {
namespace {

constexpr Refusal malformed{400, "malformed", "The request target is malformed."};
constexpr Refusal bad_escape{400, "malformed", "The request target has an escape that is no UTF-8 text."};

int nibble(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The byte that an escape at `at` stands for, -1 when it is none.
int unescape(std::string_view text, std::size_t at) noexcept {
    if (at + 2 >= text.size()) return -1;
    int const high = nibble(text[at + 1]);
    int const low = nibble(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Appends the decoded text to `out`, which has room for it, so that earlier views stay valid.
std::optional<std::string_view> decode_path(std::string_view raw, std::string& out) {
    if (!raw.contains('%')) return raw;
    auto const start = out.size();
    for (std::size_t at = 0; at < raw.size(); ++at) {
        if (raw[at] != '%') {
            out += raw[at];
            continue;
        }
        int const byte = unescape(raw, at);
        if (byte < 0x20 || byte == 0x7f) return std::nullopt;
        if (byte == '/' || byte == '\\') {
            out += byte == '/' ? "%2F" : "%5C";
        } else {
            out += static_cast<char>(byte);
        }
        at += 2;
    }
    auto const text = std::string_view(out).substr(start);
    if (!is_utf8(text)) return std::nullopt;
    return text;
}

std::optional<std::string_view> decode_query(std::string_view raw, std::string& out) {
    if (raw.find_first_of("%+") == std::string_view::npos) return raw;
    auto const start = out.size();
    for (std::size_t at = 0; at < raw.size(); ++at) {
        if (raw[at] == '+') {
            out += ' ';
        } else if (raw[at] == '%') {
            int const byte = unescape(raw, at);
            if (byte <= 0) return std::nullopt;  // no NUL: PostgreSQL has no text with one
            out += static_cast<char>(byte);
            at += 2;
        } else {
            out += raw[at];
        }
    }
    auto const text = std::string_view(out).substr(start);
    if (!is_utf8(text)) return std::nullopt;
    return text;
}

bool has_dot_segment(std::string_view path) noexcept {
    for (auto at = path.find("/."); at != std::string_view::npos; at = path.find("/.", at + 1)) {
        auto const rest = path.substr(at + 2);
        if (rest.empty() || rest[0] == '/') return true;
        if (rest[0] == '.' && (rest.size() == 1 || rest[1] == '/')) return true;
    }
    return false;
}

std::expected<void, Refusal> parse_query(std::string_view raw, Request& request, std::string& decoded,
                                         std::size_t max) {
    while (!raw.empty()) {
        auto const piece = raw.substr(0, raw.find('&'));
        raw.remove_prefix(std::min(piece.size() + 1, raw.size()));
        if (piece.empty()) continue;
        if (request.query.size() == max)
            return std::unexpected(Refusal{400, "malformed", "The query has too many parameters."});
        auto const equals = piece.find('=');
        auto const name = decode_query(piece.substr(0, equals), decoded);
        auto const value =
            equals == std::string_view::npos ? std::string_view{} : decode_query(piece.substr(equals + 1), decoded);
        if (!name || !value) return std::unexpected(bad_escape);
        request.query.push_back({*name, *value});
    }
    return {};
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
    auto host = text;
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    auto const colon = text.rfind(':');
    if (colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos) {
        auto const port = text.substr(colon + 1);
        if (port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
        host = text.substr(0, colon);
    }
    if (host.empty() || host.size() > 255) return false;
    if (host.front() == '[') {
        host = host.substr(1);
        if (host.empty() || host.back() != ']') return false;
        host.remove_suffix(1);
        return !host.empty() && host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    }
    return std::ranges::all_of(host, [&](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
    });
}

std::expected<void, Refusal> parse_target(std::string_view target, Request& request, std::string& decoded,
                                          std::size_t max_parameters) {
    request.target = target;
    bool const plain =
        std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#' && c != '\\'; });
    if (target.empty() || !plain) return std::unexpected(malformed);

    if (target == "*") {
        if (request.method != "OPTIONS") return std::unexpected(malformed);
        request.raw_path = request.path = target;
        return {};
    }
    auto rest = target;
    if (rest.front() != '/') {
        bool const secure = rest.size() > 8 && ascii_iequals(rest.substr(0, 8), "https://");
        if (!secure && !(rest.size() > 7 && ascii_iequals(rest.substr(0, 7), "http://")))
            return std::unexpected(malformed);
        rest.remove_prefix(secure ? 8 : 7);
        auto const end = std::min(rest.find_first_of("/?"), rest.size());
        auto const authority = rest.substr(0, end);
        if (!is_authority(authority)) return std::unexpected(malformed);
        request.host = authority;  // section 3.2.2: the Host header is ignored
        rest.remove_prefix(end);
    }
    auto const mark = std::min(rest.find('?'), rest.size());
    request.raw_path = mark == 0 ? "/" : rest.substr(0, mark);
    auto const query = rest.substr(std::min(mark + 1, rest.size()));

    decoded.clear();
    decoded.reserve(target.size());
    auto const path = decode_path(request.raw_path, decoded);
    if (!path) return std::unexpected(bad_escape);
    if (has_dot_segment(*path)) return std::unexpected(malformed);
    request.path = *path;
    return parse_query(query, request, decoded, max_parameters);
}

}  // namespace buildplan::net
