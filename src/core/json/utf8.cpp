#include "core/json/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace buildplan::json::utf8 {
namespace {

bool eight_ascii(char const* at) noexcept {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    return (bytes & 0x8080808080808080u) == 0;
}

}  // namespace

Step step(char const* at, char const* end) noexcept {
    auto const byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
    auto const first = byte(0);
    if (first < 0x80) return {1, true};

    std::size_t wanted = 0;
    unsigned char low = 0x80;  // the second byte's range; the others are always 80..BF
    unsigned char high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
        wanted = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        wanted = 3;
        if (first == 0xe0) low = 0xa0;
        if (first == 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
        wanted = 4;
        if (first == 0xf0) low = 0x90;
        if (first == 0xf4) high = 0x8f;
    } else {
        return {1, false};
    }

    auto const left = static_cast<std::size_t>(end - at);
    for (std::size_t i = 1; i < wanted; ++i) {
        if (i >= left || byte(i) < low || byte(i) > high) return {i, false};
        low = 0x80;
        high = 0xbf;
    }
    return {wanted, true};
}

std::optional<std::size_t> code_points(std::string_view text) noexcept {
    std::size_t count = 0;
    char const* at = text.data();
    char const* const end = at + text.size();
    while (at != end) {
        if (end - at >= 8 && eight_ascii(at)) {
            at += 8;
            count += 8;
            continue;
        }
        auto const [length, well_formed] = step(at, end);
        if (!well_formed) return std::nullopt;
        at += length;
        ++count;
    }
    return count;
}

}  // namespace buildplan::json::utf8
