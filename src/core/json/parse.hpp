// JSON text into a boost::json::value, strictly: RFC 8259 to the letter, UTF-8 checked, lone surrogates, duplicate keys
// and anything after the value refused, depth and number of values bounded. Stricter than boost::json::parse in the
// duplicates, and exact where Boost 1.81 is not: numbers with a fraction are rounded correctly.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

namespace buildplan::json {

// The size of the text is bounded by whoever read it. Memory is at most about 24 bytes a value and the text again.
struct Limits {
    std::size_t depth = 32;
    std::size_t values = 100'000;
    std::size_t errors = 32;  // how many field errors are reported at most
};

// Throws problems::malformed (400) that says what is wrong and in which line and column. `storage` is where the value
// lives. Keys may be 1,024 bytes long. Numbers beyond what a double holds become an infinity.
boost::json::value parse(std::string_view text, Limits const& limits = {}, boost::json::storage_ptr storage = {});

}  // namespace buildplan::json
