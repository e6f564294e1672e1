// Slots of a Redis Cluster (redis.io/docs/reference/cluster-spec): a key's slot, and the map that CLUSTER SLOTS
// answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "redis/options.hpp"
#include "redis/value.hpp"

namespace buildplan::redis {

inline constexpr std::uint16_t slot_count = 16'384;

// CRC-16/XMODEM, as the specification's appendix A has it.
std::uint16_t crc16(std::string_view bytes) noexcept;

// What of a key is hashed: the text in its first braces, if there is any, else all of it.
std::string_view hash_tag(std::string_view key) noexcept;

std::uint16_t slot_of(std::string_view key) noexcept;

struct SlotRange {
    std::uint16_t first = 0, last = 0;
    Endpoint master;
};

// `asked` stands in for a node that does not know its own address. Throws UnexpectedReply.
std::vector<SlotRange> read_slots(Value const& reply, Endpoint const& asked);

// "MOVED 3999 127.0.0.1:6381" or "ASK …".
struct Redirection {
    std::uint16_t slot = 0;
    Endpoint to;
};
std::optional<Redirection> read_redirection(std::string_view error, Endpoint const& from);

}  // namespace buildplan::redis
