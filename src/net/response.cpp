#include "net/response.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/text.hpp"
#include "net/header_set.hpp"

namespace buildplan::net {
namespace {

bool is_token(std::string_view text) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.contains(c);
    });
}

bool is_value(std::string_view text) noexcept {
    return std::ranges::none_of(
        text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

struct Known {
    std::string_view name;
    std::uint32_t bit;
};

constexpr Known known[] = {
    {"Content-Type", header_set::content_type},
    {"X-Content-Type-Options", header_set::content_type_options},
    {"Referrer-Policy", header_set::referrer_policy},
    {"X-Frame-Options", header_set::frame_options},
    {"Content-Security-Policy", header_set::content_security_policy},
    {"Cross-Origin-Opener-Policy", header_set::opener_policy},
    {"Cross-Origin-Resource-Policy", header_set::resource_policy},
    {"Strict-Transport-Security", header_set::transport_security},
    {"X-Request-Id", header_set::request_id},
    {"Content-Encoding", header_set::content_encoding},
    {"Access-Control-Allow-Origin", header_set::allow_origin},
    {"Content-Length", header_set::framing},
    {"Transfer-Encoding", header_set::framing},
    {"Connection", header_set::framing},
    {"Keep-Alive", header_set::framing},
    {"Trailer", header_set::framing},
    {"Date", header_set::framing},
};

}  // namespace

std::uint32_t header_set::bit_of(std::string_view name) noexcept {
    for (auto const& each : known) {
        if (ascii_iequals(each.name, name)) return each.bit;
    }
    return 0;
}

Response& Response::header(std::string_view name, std::string_view value) {
    value = trim(value);
    auto const bit = header_set::bit_of(name);
    if (!is_token(name) || !is_value(value)) throw std::invalid_argument("a response header is malformed");
    if (bit == header_set::framing) throw std::invalid_argument("a response header that is the server's to write");
    overrides_ |= bit;
    lines_.reserve(lines_.size() + name.size() + value.size() + 4);
    lines_ += name;
    lines_ += ": ";
    lines_ += value;
    lines_ += "\r\n";
    return *this;
}

std::optional<std::string_view> Response::header(std::string_view name) const noexcept {
    std::string_view rest = lines_;
    while (!rest.empty()) {
        auto const line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(line.size() + 2);
        auto const colon = line.find(": ");
        if (ascii_iequals(line.substr(0, colon), name)) return line.substr(colon + 2);
    }
    return std::nullopt;
}

}  // namespace buildplan::net
