#include "net/client/reach.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/text.hpp"

namespace buildplan::net {
namespace {

struct Block4 {
    std::uint32_t base;
    unsigned bits;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) { return a << 24 | b << 16 | c << 8 | d; }

// IANA IPv4 Special-Purpose Address Registry, and multicast (RFC 5771). 192.0.0.0/24 holds two anycast addresses that
// are globally reachable; nobody serves HTTP there.
constexpr Block4 special4[] = {
    {v4(0, 0, 0, 0), 8},        // "this network"
    {v4(10, 0, 0, 0), 8},       // private
    {v4(100, 64, 0, 0), 10},    // carriers' shared space
    {v4(127, 0, 0, 0), 8},      // loopback
    {v4(169, 254, 0, 0), 16},   // link-local, with the clouds' metadata services
    {v4(172, 16, 0, 0), 12},    // private
    {v4(192, 0, 0, 0), 24},     // protocol assignments
    {v4(192, 0, 2, 0), 24},     // documentation
    {v4(192, 88, 99, 0), 24},   // 6to4 relays, deprecated
    {v4(192, 168, 0, 0), 16},   // private
    {v4(198, 18, 0, 0), 15},    // benchmarks
    {v4(198, 51, 100, 0), 24},  // documentation
    {v4(203, 0, 113, 0), 24},   // documentation
    {v4(224, 0, 0, 0), 4},      // multicast
    {v4(240, 0, 0, 0), 4},      // reserved, and broadcast
};

struct Block6 {
    std::uint64_t base;  // of the upper half: no prefix below is longer
    unsigned bits;
};

// IANA IPv6 Special-Purpose Address Registry, as far as it lies within 2000::/3.
constexpr Block6 special6[] = {
    {0x2001'0000'0000'0000, 23},  // protocol assignments: Teredo, benchmarks, ORCHID
    {0x2001'0db8'0000'0000, 32},  // documentation
    {0x2002'0000'0000'0000, 16},  // 6to4
    {0x3fff'0000'0000'0000, 20},  // documentation
};

template <class Integer>
bool within(Integer value, Integer base, unsigned bits) {
    return value >> (sizeof(Integer) * 8 - bits) == base >> (sizeof(Integer) * 8 - bits);
}

bool is_public4(std::uint32_t address) {
    return std::ranges::none_of(special4, [&](Block4 block) { return within(address, block.base, block.bits); });
}

std::uint64_t read(Address const& address, std::size_t from, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = from; i < from + count; ++i) value = value << 8 | address.bytes[i];
    return value;
}

}  // namespace

bool is_public(Address const& address) noexcept {
    auto const upper = read(address, 0, 8);
    auto const middle = read(address, 8, 4);
    auto const low = static_cast<std::uint32_t>(read(address, 12, 4));
    bool const mapped = upper == 0 && middle == 0xffff;                // ::ffff:0:0/96
    bool const nat64 = upper == 0x0064'ff9b'0000'0000 && middle == 0;  // 64:ff9b::/96
    if (mapped || nat64) return is_public4(low);
    if (upper >> 61 != 1) return false;  // 2000::/3 is all that is given out for unicast
    return std::ranges::none_of(special6, [&](Block6 block) { return within(upper, block.base, block.bits); });
}

AllowList::AllowList(std::span<std::string const> entries) {
    for (auto const& entry : entries) {
        if (auto const network = Network::parse(entry)) {
            networks_.push_back(*network);
            continue;
        }
        bool const name = !entry.empty() && entry.size() <= 253 && std::ranges::all_of(entry, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                   c == '_';
        });
        // What looks like an address but is none must not pass as a name that never matches.
        bool const digits = entry.find_first_not_of("0123456789.") == std::string::npos;
        if (!name || digits)
            throw std::invalid_argument("neither an address, a network nor the name of a host: " + entry);
        hosts_.push_back(ascii_lower(entry));
    }
}

bool AllowList::names(std::string_view host) const noexcept {
    return std::ranges::any_of(hosts_, [&](std::string const& known) { return ascii_iequals(known, host); });
}

bool AllowList::contains(Address const& address) const noexcept {
    return std::ranges::any_of(networks_, [&](Network const& network) { return network.contains(address); });
}

bool may_reach(Reach reach, AllowList const& allowed, std::string_view host, Address const& address) noexcept {
    switch (reach) {
        case Reach::anything:
            return true;
        case Reach::allow_listed:
            if (allowed.names(host) || allowed.contains(address)) return true;
            [[fallthrough]];
        case Reach::public_only:
            break;
    }
    return is_public(address);
}

}  // namespace buildplan::net
