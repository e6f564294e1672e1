#include "redis/slots.hpp"

#include <array>
#include <charconv>

#include "redis/errors.hpp"

namespace buildplan::redis {
namespace {

constexpr auto crc_table = [] {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021 : 0);
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}();

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::uint16_t checked(std::int64_t value, std::int64_t below) {
    if (value < 0 || value >= below) throw UnexpectedReply("Redis answered CLUSTER SLOTS with a number out of range");
    return static_cast<std::uint16_t>(value);
}

}  // namespace

std::uint16_t crc16(std::string_view bytes) noexcept {
    unsigned crc = 0;
    for (char const c : bytes) crc = (crc << 8) ^ crc_table[((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xFF];
    return static_cast<std::uint16_t>(crc);
}

std::string_view hash_tag(std::string_view key) noexcept {
    auto const open = key.find('{');
    if (open == std::string_view::npos) return key;
    auto const close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

std::uint16_t slot_of(std::string_view key) noexcept { return crc16(hash_tag(key)) % slot_count; }

std::vector<SlotRange> read_slots(Value const& reply, Endpoint const& asked) {
    std::vector<SlotRange> ranges;
    for (auto const& each : reply.items()) {
        SlotRange range{.first = checked(each[0].as_integer(), slot_count),
                        .last = checked(each[1].as_integer(), slot_count),
                        .master = {}};
        auto const& master = each[2];
        range.master.host =
            master[0].is_nil() || master[0].as_text().empty() ? asked.host : std::string(master[0].as_text());
        range.master.port = checked(master[1].as_integer(), 65'536);
        if (range.first > range.last)
            throw UnexpectedReply("Redis answered CLUSTER SLOTS with a range that ends before it begins");
        ranges.push_back(std::move(range));
    }
    return ranges;
}

std::optional<Redirection> read_redirection(std::string_view error, Endpoint const& from) {
    auto const first = error.find(' ');
    auto const second = error.find(' ', first + 1);
    auto const colon = error.rfind(':');
    if (first == error.npos || second == error.npos || colon == error.npos || colon < second) return std::nullopt;
    auto const slot = number<std::uint16_t>(error.substr(first + 1, second - first - 1));
    auto const port = number<std::uint16_t>(error.substr(colon + 1));
    if (!slot || *slot >= slot_count || !port) return std::nullopt;
    auto const host = error.substr(second + 1, colon - second - 1);
    return Redirection{
        .slot = *slot,
        .to = {.host = host.empty() || host == "?" ? from.host : std::string(host), .port = *port, .path = {}}};
}

}  // namespace buildplan::redis
