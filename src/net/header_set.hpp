// HeaderSet: the response headers that the server would add by itself, as bits, so that a response that brings its own
// is recognised without a search.
#pragma once

#include <cstdint>
#include <string_view>

namespace buildplan::net::header_set {

inline constexpr std::uint32_t content_type = 1u << 0;
inline constexpr std::uint32_t content_type_options = 1u << 1;
inline constexpr std::uint32_t referrer_policy = 1u << 2;
inline constexpr std::uint32_t frame_options = 1u << 3;
inline constexpr std::uint32_t content_security_policy = 1u << 4;
inline constexpr std::uint32_t opener_policy = 1u << 5;
inline constexpr std::uint32_t resource_policy = 1u << 6;
inline constexpr std::uint32_t transport_security = 1u << 7;
inline constexpr std::uint32_t request_id = 1u << 8;
inline constexpr std::uint32_t content_encoding = 1u << 9;
inline constexpr std::uint32_t allow_origin = 1u << 10;
inline constexpr std::uint32_t framing = 1u << 31;  // the server's alone

// The bit of a header, 0 for all others.
std::uint32_t bit_of(std::string_view name) noexcept;

}  // namespace buildplan::net::header_set
