// The few cryptographic primitives that more than one floor needs, over OpenSSL 3. All take and give raw bytes.
#pragma once

#include <string>
#include <string_view>

namespace buildplan {

// SHA-256 (FIPS 180-4): 32 bytes.
std::string sha256(std::string_view bytes);

// HMAC-SHA-256 (RFC 2104): 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Compares in a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace buildplan
