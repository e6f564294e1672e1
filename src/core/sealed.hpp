// Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key that is derived from the installation's secret, so that
// whoever reads a table or a backup reads nothing. Throws std::runtime_error where OpenSSL fails.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan {

// HKDF-SHA-256 (RFC 5869): `size` bytes, at most 8160. `info` says what for, so that one secret gives many keys.
std::string hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info, std::size_t size = 32);

// A random nonce, the ciphertext and its tag. `key`: 32 bytes. `bound_to` is not in the result, and must be the same to
// open it: the name of the row, so that a sealed value cannot be moved to another one.
std::string seal(std::string_view key, std::string_view plain, std::string_view bound_to);

// Nothing for another key, another `bound_to`, or a change of a single bit.
std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed, std::string_view bound_to);

}  // namespace buildplan
