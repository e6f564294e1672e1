// The formats that a string on the wire may be asked to have. Each check is exact about what it takes and bounded in
// length, and never throws.
#pragma once

#include <cstdint>
#include <string_view>

namespace buildplan::json {

enum class Format : std::uint8_t { none, email, url, uuid, slug, date_time, line };

constexpr std::uint32_t longest_email = 254;
constexpr std::uint32_t longest_url = 2048;
constexpr std::uint32_t longest_slug = 63;

// An addr-spec of RFC 5321 as people have them: a dot-atom of at most 64 bytes, "@", a domain of at least two LDH
// labels whose last one is not all digits; at most 254 bytes in all. Refused although RFC 5322 allows them: quoted
// local parts, comments, address literals. Refused because mail systems still differ about them: UTF-8 in the local
// part (RFC 6531) and domains in U-label form (write `xn--…`).
bool is_email(std::string_view text) noexcept;

// An absolute http or https URL (RFC 3986) with a host, of at most 2,048 bytes. No user name or password in it: they
// would end up in logs.
bool is_url(std::string_view text) noexcept;

// 1 to 63 of a-z, 0-9 and hyphens, which stand alone and inside.
bool is_slug(std::string_view text) noexcept;

// What people read as a name: something that can be seen, in one line, that does not turn the text around it. Refused
// are control characters (C0, C1, DEL), U+2028 and U+2029, the bidirectional controls (UAX #9: U+061C, U+200E-F,
// U+202A-E, U+2066-9) and text that is only white space or zero-width (U+200B-D, U+2060, U+FEFF). `text` is well-formed
// UTF-8.
bool is_line(std::string_view text) noexcept;

bool matches(Format format, std::string_view text) noexcept;

// What would fit, as a sentence for the caller.
std::string_view explain(Format format) noexcept;

}  // namespace buildplan::json
