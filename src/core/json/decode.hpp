// JSON into described structs. decode() gives a value that satisfies every rule of its type, or throws one Problem:
// 400 `malformed` where the text is not JSON, 422 `invalid` with all that does not fit (at most Limits::errors), each
// with an RFC 6901 pointer, a sentence that says what would fit, and one of these codes:
//
//   required unknown-field null type too-short too-long too-small too-large too-few too-many format not-allowed
//
// Strings that come out are well-formed UTF-8 without NUL (which PostgreSQL's text and jsonb refuse). Keys that the
// struct does not have are an error unless its rules say ignore_unknown(). std::optional takes a missing key and null.
#pragma once

#include <boost/json/value.hpp>
#include <concepts>
#include <string_view>

#include "core/json/describe.hpp"
#include "core/json/parse.hpp"

namespace buildplan::json {

namespace detail {

void decode_text(std::string_view text, Type const& type, void* out, Limits const& limits);
void decode_value(boost::json::value const& value, Type const& type, void* out, std::string_view prefix,
                  Limits const& limits);

}  // namespace detail

template <class T>
T decode(std::string_view text, Limits const& limits = {}) {
    T out{};
    detail::decode_text(text, type_of<T>(), &out, limits);
    return out;
}

// `prefix` is the pointer of `value` itself in the document that the caller knows.
template <class T, std::same_as<boost::json::value> Value>  // a template, so that text does not become a value first
T decode(Value const& value, std::string_view prefix = {}, Limits const& limits = {}) {
    T out{};
    detail::decode_value(value, type_of<T>(), &out, prefix, limits);
    return out;
}

}  // namespace buildplan::json
