#include "net/proxies.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "core/text.hpp"
#include "net/target.hpp"

namespace buildplan::net {
namespace {

constexpr std::size_t max_hops = 32;  // seen from us; what is further left is not looked at

// One hop as a proxy wrote it.
struct Hop {
    std::string_view node, proto, host;
};

// "1.2.3.4", "1.2.3.4:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". Nothing for "unknown" and "_hidden".
std::optional<Address> parse_node(std::string_view node) noexcept {
    auto const is_port = [](std::string_view text) {
        return !text.empty() && text.size() <= 5 &&
               std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    };
    if (node.starts_with('[')) {
        auto const end = node.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        auto const rest = node.substr(end + 1);
        if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
        return Address::parse(node.substr(1, end - 1));
    }
    auto const colon = node.find(':');
    if (colon != std::string_view::npos && colon == node.rfind(':')) {
        if (!is_port(node.substr(colon + 1))) return std::nullopt;
        node = node.substr(0, colon);
    }
    return Address::parse(node);
}

// Reads a token or a quoted string at `at` and moves past it. A quoted string with an escape in it is not something
// that a proxy writes around an address, so it is refused. Nothing when malformed.
std::optional<std::string_view> take_value(std::string_view text, std::size_t& at) noexcept {
    if (at < text.size() && text[at] == '"') {
        auto const end = text.find_first_of("\"\\", at + 1);
        if (end == std::string_view::npos || text[end] == '\\') return std::nullopt;
        auto const value = text.substr(at + 1, end - at - 1);
        at = end + 1;
        return value;
    }
    auto const end = std::min(text.find_first_of(",;= \t\"", at), text.size());
    if (end == at) return std::nullopt;
    auto const value = text.substr(at, end - at);
    at = end;
    return value;
}

// RFC 7239 section 4: false when any of it is malformed, because then nobody knows where an element ends.
bool parse_forwarded(std::string_view text, std::vector<Hop>& hops) {
    auto const skip_blank = [&](std::size_t& at) {
        while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    };
    std::size_t at = 0;
    while (at <= text.size()) {
        Hop hop;
        bool any = false;
        for (;;) {
            skip_blank(at);
            if (at == text.size() || text[at] == ',') break;
            if (text[at] == ';') {
                ++at;
                continue;
            }
            auto const name = take_value(text, at);
            if (!name || at == text.size() || text[at] != '=') return false;
            auto const value = take_value(text, ++at);
            if (!value) return false;
            any = true;
            if (ascii_iequals(*name, "for")) hop.node = *value;
            if (ascii_iequals(*name, "proto")) hop.proto = *value;
            if (ascii_iequals(*name, "host")) hop.host = *value;
            skip_blank(at);
            if (at < text.size() && text[at] != ';' && text[at] != ',') return false;
        }
        if (any) hops.push_back(hop);
        ++at;
    }
    return true;
}

std::vector<std::string_view> split_list(std::span<std::string_view const> lines) {
    std::vector<std::string_view> items;
    for (auto line : lines) {
        for (;;) {
            auto const comma = line.find(',');
            auto const item = trim(line.substr(0, comma));
            if (!item.empty()) items.push_back(item);
            if (comma == std::string_view::npos) break;
            line.remove_prefix(comma + 1);
        }
    }
    return items;
}

std::vector<Hop> hops_of_x_forwarded(ForwardedValues const& values) {
    auto const nodes = split_list(values.x_for);
    auto const protos = split_list(values.x_proto);
    auto const hosts = split_list(values.x_host);
    // One for each hop where there are as many, else the word of the proxy nearest to us.
    auto const nth = [&](std::vector<std::string_view> const& list, std::size_t i) {
        if (list.empty()) return std::string_view{};
        return list.size() == nodes.size() ? list[i] : list.back();
    };
    std::vector<Hop> hops;
    hops.reserve(nodes.size() + 1);
    for (std::size_t i = 0; i < nodes.size(); ++i) hops.push_back({nodes[i], nth(protos, i), nth(hosts, i)});
    if (nodes.empty() && (!protos.empty() || !hosts.empty())) hops.push_back({{}, nth(protos, 0), nth(hosts, 0)});
    return hops;
}

Origin walk(TrustedProxies const& proxies, Address const& peer, std::vector<Hop> const& hops) {
    Origin origin{peer, {}, {}};
    std::size_t seen = 0;
    for (auto hop = hops.rbegin(); hop != hops.rend() && seen < max_hops; ++hop, ++seen) {
        if (!proxies.trusts(origin.client)) break;
        // The proxy that we trust wrote this hop, so what it says of scheme and host holds too.
        if (ascii_iequals(hop->proto, "https")) origin.scheme = "https";
        if (ascii_iequals(hop->proto, "http")) origin.scheme = "http";
        if (!hop->host.empty() && is_authority(hop->host)) origin.host = hop->host;
        auto const address = parse_node(hop->node);
        if (!address) break;
        origin.client = *address;
    }
    return origin;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) noexcept {
    char buffer[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
    std::ranges::copy(text, buffer);
    buffer[text.size()] = '\0';
    Address address;
    if (text.contains(':')) {
        if (::inet_pton(AF_INET6, buffer, address.bytes.data()) != 1) return std::nullopt;
        return address;
    }
    if (::inet_pton(AF_INET, buffer, address.bytes.data() + 12) != 1) return std::nullopt;
    address.bytes[10] = address.bytes[11] = 0xff;
    return address;
}

std::string Address::to_string() const {
    constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool const v4 = std::equal(mapped.begin(), mapped.end(), bytes.begin());
    char buffer[INET6_ADDRSTRLEN];
    ::inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data() + (v4 ? 12 : 0), buffer, sizeof buffer);
    return buffer;
}

std::optional<Network> Network::parse(std::string_view text) noexcept {
    Network network;
    auto const slash = text.find('/');
    auto const address = Address::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    network.base_ = *address;
    if (slash != std::string_view::npos) {
        auto const length = text.substr(slash + 1);
        unsigned bits = 0;
        auto const [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
        bool const v4 = !text.substr(0, slash).contains(':');
        if (error != std::errc{} || end != length.data() + length.size() || bits > (v4 ? 32u : 128u))
            return std::nullopt;
        network.bits_ = v4 ? bits + 96 : bits;
    }
    return network;
}

bool Network::contains(Address const& address) const noexcept {
    auto const whole = bits_ / 8;
    if (!std::equal(base_.bytes.begin(), base_.bytes.begin() + whole, address.bytes.begin())) return false;
    auto const rest = bits_ % 8;
    return rest == 0 || ((base_.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

bool TrustedProxies::trusts(Address const& address) const noexcept {
    return std::ranges::any_of(networks, [&](Network const& network) { return network.contains(address); });
}

Origin find_origin(TrustedProxies const& proxies, Address const& peer, ForwardedValues const& values) {
    Origin const alone{peer, {}, {}};
    if (!proxies.trusts(peer)) return alone;
    using Believed = TrustedProxies::Header;

    std::vector<Hop> elements;
    bool const has_standard = proxies.header != Believed::x_forwarded && !values.forwarded.empty();
    if (has_standard) {
        for (auto const line : values.forwarded) {
            if (!parse_forwarded(line, elements)) return alone;
        }
    }
    bool const has_custom = proxies.header != Believed::forwarded &&
                            (!values.x_for.empty() || !values.x_proto.empty() || !values.x_host.empty());
    auto const by_standard = has_standard ? walk(proxies, peer, elements) : alone;
    auto const by_custom = has_custom ? walk(proxies, peer, hops_of_x_forwarded(values)) : alone;
    if (!has_custom) return by_standard;
    if (!has_standard) return by_custom;
    // One of the two may be the client's invention, so only what they agree on is believed.
    if (by_standard.client != by_custom.client) return alone;
    return {by_standard.client, by_standard.scheme == by_custom.scheme ? by_standard.scheme : "",
            by_standard.host == by_custom.host ? by_standard.host : ""};
}

}  // namespace buildplan::net
