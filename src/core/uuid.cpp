#include "core/uuid.hpp"

#include <chrono>

#include "core/random.hpp"

namespace buildplan {
namespace {

constexpr char digits[] = "0123456789abcdef";

int nibble(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr bool dash_before(std::size_t byte) noexcept { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

}  // namespace

Uuid Uuid::v7() {
    // 12 bits of counter behind the millisecond keep one thread's ids in order.
    thread_local std::uint64_t last_ms = 0;
    thread_local std::uint16_t counter = 0;

    auto const now = std::chrono::system_clock::now().time_since_epoch();
    auto ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    Uuid id;
    fill_random(std::span{id.bytes}.subspan<6>());
    if (ms > last_ms) {
        last_ms = ms;
        counter = static_cast<std::uint16_t>(((id.bytes[6] << 8) | id.bytes[7]) & 0x07ff);  // room to count up
    } else if (++counter > 0x0fff) {
        counter = 0;
        ++last_ms;  // borrow from the next millisecond
    }
    ms = last_ms;
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    id.bytes[6] = static_cast<std::uint8_t>(0x70 | (counter >> 8));
    id.bytes[7] = static_cast<std::uint8_t>(counter);
    id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) noexcept {
    if (text.size() != 36) return std::nullopt;
    Uuid id;
    std::size_t at = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        if (dash_before(i) && text[at++] != '-') return std::nullopt;
        int const high = nibble(text[at]);
        int const low = nibble(text[at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
        at += 2;
    }
    return id;
}

void Uuid::write(char* out) const noexcept {
    for (std::size_t i = 0; i < 16; ++i) {
        if (dash_before(i)) *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
}

std::string Uuid::to_string() const {
    std::string text(36, '\0');
    write(text.data());
    return text;
}

}  // namespace buildplan
