// API keys as text: `bp_svc_<32 characters>_<6 characters>` for a service, `bp_pat_…` for a person. The first part is
// 190 random bits in base62; the second is their CRC-32 in base62, so that a scanner that finds such a text anywhere
// knows without asking us that it is a key, and a mistyped one never reaches PostgreSQL. Only a key's SHA-256 is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan::identity {

enum class KeyKind : std::uint8_t { service, personal };

// A new key. Shown once, then forgotten.
std::string make_key(KeyKind kind);

// Nothing for what is no key: another form, or a checksum that does not fit.
std::optional<KeyKind> kind_of_key(std::string_view text) noexcept;

// What is kept of a key: 32 bytes.
std::string hash_of_key(std::string_view key);

// What people recognise it by: "bp_svc_Ab12".
std::string_view prefix_of_key(std::string_view key) noexcept;

}  // namespace buildplan::identity
