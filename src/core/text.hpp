// Text as it goes out: UTF-8 (RFC 3629) checked, JSON strings escaped (RFC 8259), base64url (RFC 4648 section 5), hex.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan {

// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the result always is.
void append_json_string(std::string& out, std::string_view text);

// Unpadded base64url.
std::string base64url(std::string_view bytes);
// Nothing for padding, for characters outside the alphabet, or for an impossible length.
std::optional<std::string> from_base64url(std::string_view text);

std::string to_hex(std::string_view bytes);

// Lower case of ASCII letters only; header names and the like.
std::string ascii_lower(std::string_view text);
bool ascii_iequals(std::string_view a, std::string_view b) noexcept;
// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text) noexcept;

}  // namespace buildplan
