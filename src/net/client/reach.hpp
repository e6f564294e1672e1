// Reach: how far an outbound request may go. A URL that a customer wrote must not make us talk to our own machines
// (server-side request forgery), so it is the address that a connection is really made to that counts, not the name:
// a name that changes its address between check and use gains nothing. Nothing here throws but AllowList's constructor.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/proxies.hpp"

namespace buildplan::net {

enum class Reach : std::uint8_t {
    public_only,   // addresses that are globally reachable
    allow_listed,  // those, and what the operator's AllowList names
    anything,      // where the operator, not a customer, chose the URL
};

// Whether packets to an address leave for the public internet: none of the blocks that the IANA special-purpose address
// registries (RFC 6890) say are not globally reachable, no multicast, nothing outside of 2000::/3, no tunnel or
// documentation prefix. IPv4 inside of IPv6 (mapped, NAT64) counts as the IPv4 address that it stands for.
bool is_public(Address const& address) noexcept;

// What the operator opens for customers' URLs: "10.1.2.0/24", "fd00::7", or the name of a host, with all its addresses.
class AllowList {
public:
    AllowList() = default;
    // Throws std::invalid_argument for an entry that is none of those.
    explicit AllowList(std::span<std::string const> entries);

    [[nodiscard]] bool names(std::string_view host) const noexcept;
    [[nodiscard]] bool contains(Address const& address) const noexcept;

private:
    std::vector<Network> networks_;
    std::vector<std::string> hosts_;
};

// Whether a request of that reach to `host` may use `address`.
bool may_reach(Reach reach, AllowList const& allowed, std::string_view host, Address const& address) noexcept;

}  // namespace buildplan::net
