// Points in time as the program keeps them (microseconds, UTC: what PostgreSQL stores) and as the API writes them
// (RFC 3339 with milliseconds and `Z`).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using namespace std::chrono_literals;

inline Timestamp now() noexcept {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

// "2026-11-23T17:20:46.123Z": 24 characters for the years 0 to 9999.
std::string to_rfc3339(Timestamp time);
void append_rfc3339(std::string& out, Timestamp time);

// RFC 3339 section 5.6, any offset, up to nine fractional digits (kept to the microsecond), years 0001 to 9999.
// A leap second (`:60`) is read as the second after. Nothing for anything else.
std::optional<Timestamp> parse_rfc3339(std::string_view text) noexcept;

}  // namespace buildplan
