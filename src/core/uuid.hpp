// 128-bit identifiers (RFC 9562). New ones are version 7: they begin with the time, so that rows that are made together
// lie together in an index. Parsing accepts the canonical 36-character form, either case, and nothing else.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    // A new version 7 UUID: milliseconds of the wall clock, then 74 random bits. Within one thread and millisecond
    // they still grow (RFC 9562 section 6.2, method 1).
    static Uuid v7();
    static std::optional<Uuid> parse(std::string_view text) noexcept;

    [[nodiscard]] std::string to_string() const;
    // Writes exactly 36 characters.
    void write(char* out) const noexcept;
    [[nodiscard]] bool is_nil() const noexcept { return *this == Uuid{}; }

    friend auto operator<=>(Uuid const&, Uuid const&) = default;
};

}  // namespace buildplan

template <>
struct std::hash<buildplan::Uuid> {
    std::size_t operator()(buildplan::Uuid const& id) const noexcept {
        std::uint64_t low = 0;
        std::memcpy(&low, id.bytes.data() + 8, sizeof low);  // the random half
        return low;
    }
};
