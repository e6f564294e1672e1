#include "core/json/writer.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "core/json/utf8.hpp"

namespace buildplan::json {
namespace {

constexpr std::uint64_t each(unsigned char byte) noexcept { return 0x0101010101010101u * byte; }

// The high bit of each byte of `word` that cannot go out as it is: below 0x20, `"`, `\`, or not ASCII. Exact up to and
// including the first such byte, which is all that is asked.
constexpr std::uint64_t special(std::uint64_t word) noexcept {
    auto const quote = word ^ each('"');
    auto const backslash = word ^ each('\\');
    auto const below = [](std::uint64_t w, unsigned char limit) { return (w - each(limit)) & ~w; };
    return (below(word, 0x20) | below(quote, 1) | below(backslash, 1) | word) & each(0x80);
}

// How many bytes from `at` on need nothing done to them.
std::size_t plain(char const* at, char const* end) noexcept {
    char const* const begin = at;
    static_assert(std::endian::native == std::endian::little, "the first byte must be the lowest");
    while (end - at >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        auto const found = special(word);
        if (found != 0)
            return static_cast<std::size_t>(at - begin) + static_cast<std::size_t>(std::countr_zero(found)) / 8;
        at += 8;
    }
    for (; at != end; ++at) {
        auto const c = static_cast<unsigned char>(*at);
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80) break;
    }
    return static_cast<std::size_t>(at - begin);
}

}  // namespace

void Writer::grow(std::size_t bytes) {
    auto const size = std::max({used_ + bytes, 2 * out_.size(), out_.capacity(), std::size_t{256}});
    out_.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
}

void Writer::integer(std::int64_t value) {
    auto* const at = room(20);
    used_ += static_cast<std::size_t>(std::to_chars(at, at + 20, value).ptr - at);
}

void Writer::integer(std::uint64_t value) {
    auto* const at = room(20);
    used_ += static_cast<std::size_t>(std::to_chars(at, at + 20, value).ptr - at);
}

void Writer::number(double value) {
    if (!std::isfinite(value)) return null();
    auto* const at = room(32);
    used_ += static_cast<std::size_t>(std::to_chars(at, at + 32, value).ptr - at);
}

void Writer::escape(unsigned char c) {
    switch (c) {
        case '"':
            return raw("\\\"");
        case '\\':
            return raw("\\\\");
        case '\b':
            return raw("\\b");
        case '\f':
            return raw("\\f");
        case '\n':
            return raw("\\n");
        case '\r':
            return raw("\\r");
        case '\t':
            return raw("\\t");
        default:
            break;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    raw("\\u00");
    raw(digits[c >> 4]);
    raw(digits[c & 15]);
}

void Writer::string(std::string_view text) {
    char const* at = text.data();
    char const* const end = at + text.size();
    char const* pending = at;  // from here to `at` goes out as it is
    raw('"');
    while (true) {
        at += plain(at, end);
        if (at == end) break;
        if (static_cast<unsigned char>(*at) >= 0x80) {
            auto const [length, well_formed] = utf8::step(at, end);
            if (well_formed) {
                at += length;
                continue;
            }
            raw({pending, at});
            raw("\xef\xbf\xbd");
            at += length;
        } else {
            raw({pending, at});
            escape(static_cast<unsigned char>(*at++));
        }
        pending = at;
    }
    raw({pending, at});
    raw('"');
}

void Writer::uuid(Uuid const& id) {
    auto* const at = room(38);
    at[0] = '"';
    id.write(at + 1);
    at[37] = '"';
    used_ += 38;
}

void Writer::timestamp(Timestamp time) {
    scratch_.assign(1, '"');
    append_rfc3339(scratch_, time);
    scratch_ += '"';
    raw(scratch_);
}

}  // namespace buildplan::json
