// Proxies: who the client is behind load balancers. `Forwarded` (RFC 7239) and `X-Forwarded-For/-Proto/-Host` are
// believed only when the peer is a listed proxy, and only back to the first hop, seen from us, that is not one:
// anything further left was written by whoever that is. Nothing here throws.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace buildplan::net {

// An address, IPv4 as ::ffff:a.b.c.d.
struct Address {
    std::array<std::uint8_t, 16> bytes{};

    // Numeric, without port, brackets or zone.
    static std::optional<Address> parse(std::string_view text) noexcept;
    [[nodiscard]] std::string to_string() const;  // the canonical form; IPv4 in dots
    friend bool operator==(Address const&, Address const&) = default;
};

// "10.0.0.0/8", "fd00::/8", or a single address.
class Network {
public:
    static std::optional<Network> parse(std::string_view text) noexcept;
    [[nodiscard]] bool contains(Address const& address) const noexcept;

private:
    Address base_;
    unsigned bits_ = 128;
};

struct TrustedProxies {
    enum class Header : std::uint8_t { either, forwarded, x_forwarded };
    std::vector<Network> networks;  // none: no such header is believed
    // Which one the proxies write. With `either`, a request that carries both and names different clients is taken as
    // the proxy's own: one of the two is not the proxy's word.
    Header header = Header::either;

    [[nodiscard]] bool trusts(Address const& address) const noexcept;
};

struct ForwardedValues {
    // All values of a name, in order, each a header line's value.
    std::span<std::string_view const> forwarded, x_for, x_proto, x_host;
};

struct Origin {
    Address client;
    std::string_view scheme;  // "http" or "https"; empty: not said
    std::string_view host;    // empty: not said
};

Origin find_origin(TrustedProxies const& proxies, Address const& peer, ForwardedValues const& values);

}  // namespace buildplan::net
