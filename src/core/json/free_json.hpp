// JSON of no particular shape, as members of type boost::json::value or object take it: bounded, and such that
// PostgreSQL's jsonb can store it.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>

namespace buildplan::json {

enum class FreeJson : std::uint8_t { fits, too_long, too_deep, bad_text, bad_number };

// `most_bytes` of compact text without escapes; `depth` levels of arrays and objects; strings and keys well-formed
// UTF-8 without NUL; numbers finite. Never throws.
FreeJson check_free_json(boost::json::value const& value, std::size_t most_bytes, std::size_t depth) noexcept;

}  // namespace buildplan::json
