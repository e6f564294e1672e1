#include "core/json/format.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "core/time.hpp"
#include "core/uuid.hpp"

namespace buildplan::json {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_alphanumeric(char c) noexcept { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }

// RFC 5322 section 3.2.3.
constexpr bool is_atext(char c) noexcept {
    return is_alphanumeric(c) || std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
}

// Whether every dot-separated piece of `text` satisfies `good`.
template <class Good>
bool all_pieces(std::string_view text, Good good) noexcept {
    while (true) {
        auto const dot = text.find('.');
        if (!good(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

// RFC 1034 section 3.5 with the digit first of RFC 1123.
bool is_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_mail_domain(std::string_view domain) noexcept {
    auto const dot = domain.rfind('.');
    if (dot == std::string_view::npos || domain.size() > 253) return false;
    return all_pieces(domain, is_label) && !std::ranges::all_of(domain.substr(dot + 1), is_digit);
}

// 1 to 65535, or nothing at all, which RFC 3986 section 3.2.3 allows.
bool is_port(std::string_view text) noexcept {
    std::uint16_t port = 0;
    auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    return text.empty() || (failure == std::errc{} && end == text.data() + text.size() && port != 0);
}

}  // namespace

bool is_email(std::string_view text) noexcept {
    if (text.size() > longest_email) return false;
    auto const at = text.find('@');
    if (at == std::string_view::npos || at == 0 || at > 64) return false;
    auto const is_atom = [](std::string_view piece) { return !piece.empty() && std::ranges::all_of(piece, is_atext); };
    return all_pieces(text.substr(0, at), is_atom) && is_mail_domain(text.substr(at + 1));
}

bool is_url(std::string_view text) noexcept {
    if (text.size() > longest_url) return false;
    auto const parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed) return false;
    auto const scheme = parsed->scheme_id();
    if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) return false;
    if (parsed->has_userinfo() || parsed->encoded_host().empty()) return false;
    if (parsed->host_type() == boost::urls::host_type::name) {
        // RFC 3986 takes nearly anything as a registered name; what resolves is letters, digits, "-", "_" and ".".
        auto const host = parsed->encoded_host();
        bool const sane = std::all_of(host.begin(), host.end(),
                                      [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
        if (!sane || host.size() > 253) return false;
    } else if (parsed->host_type() == boost::urls::host_type::ipvfuture) {
        return false;
    }
    // Boost 1.81 takes "host:8x/" as the port 8 and the path "x/", which no RFC allows.
    auto const path = parsed->encoded_path();
    if (!path.empty() && path.front() != '/') return false;
    return !parsed->has_port() || is_port(parsed->port());
}

bool is_slug(std::string_view text) noexcept {
    if (text.empty() || text.size() > longest_slug || text.front() == '-' || text.back() == '-') return false;
    char before = ' ';
    for (char const c : text) {
        if (!is_lower(c) && !is_digit(c) && (c != '-' || before == '-')) return false;
        before = c;
    }
    return true;
}

bool is_line(std::string_view text) noexcept {
    bool seen = false;
    for (std::size_t i = 0; i < text.size();) {
        auto const lead = static_cast<unsigned char>(text[i]);
        std::size_t const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (length > text.size() - i) return false;
        char32_t point = length == 1 ? lead : lead & (0x7fU >> length);
        for (std::size_t k = 1; k < length; ++k) point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
        i += length;
        auto const within = [point](char32_t low, char32_t high) { return point >= low && point <= high; };
        if (point < 0x20 || within(0x7f, 0x9f) || within(0x2028, 0x2029)) return false;
        if (point == 0x61c || within(0x200e, 0x200f) || within(0x202a, 0x202e) || within(0x2066, 0x2069)) return false;
        bool const blank = point == 0x20 || point == 0xa0 || point == 0xad || point == 0x1680 ||
                           within(0x2000, 0x200d) || point == 0x202f || point == 0x205f || point == 0x2060 ||
                           point == 0x3000 || point == 0xfeff;
        seen = seen || !blank;
    }
    return seen;
}

bool matches(Format format, std::string_view text) noexcept {
    switch (format) {
        case Format::none:
            return true;
        case Format::email:
            return is_email(text);
        case Format::url:
            return is_url(text);
        case Format::uuid:
            return Uuid::parse(text).has_value();
        case Format::slug:
            return is_slug(text);
        case Format::date_time:
            return parse_rfc3339(text).has_value();
        case Format::line:
            return is_line(text);
    }
    return false;
}

std::string_view explain(Format format) noexcept {
    switch (format) {
        case Format::none:
            return "Must be text without NUL characters.";
        case Format::email:
            return "Must be an e-mail address, such as ada@example.com.";
        case Format::url:
            return "Must be an absolute http or https URL without user name and password.";
        case Format::uuid:
            return "Must be a UUID, such as 0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b.";
        case Format::slug:
            return "Must be 1 to 63 lower-case letters, digits and single hyphens inside.";
        case Format::date_time:
            return "Must be a date and time of RFC 3339, such as 2026-11-23T17:20:46.123Z.";
        case Format::line:
            return "Must be one line with something to see, without control characters.";
    }
    return "";
}

}  // namespace buildplan::json
