// Target: the request target of RFC 9112 section 3.2, taken apart and decoded: origin-form, absolute-form and `*`.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "net/request.hpp"

namespace buildplan::net {

// Why a request cannot be served; becomes a problem+json answer. Both texts are constants.
struct Refusal {
    int status;
    std::string_view code;
    std::string_view detail;
};

// Fills target, raw_path, path, query, and host from an absolute target. Decoded text is kept in `decoded`, which must
// live as long as the request.
std::expected<void, Refusal> parse_target(std::string_view target, Request& request, std::string& decoded,
                                          std::size_t max_parameters);

// Whether `text` can be a host with an optional port (RFC 3986 section 3.2.2, without user information).
bool is_authority(std::string_view text) noexcept;

}  // namespace buildplan::net
