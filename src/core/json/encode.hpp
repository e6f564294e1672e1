// Described structs into JSON text, straight to the string, without a document in between. Empty optionals and absent
// patches are left out (see Rule::write_null), times are RFC 3339 with milliseconds, doubles that are not finite are
// null. The text is always valid UTF-8. Throws std::logic_error for an enum that is none of its enumerators.
#pragma once

#include <string>

#include "core/json/describe.hpp"

namespace buildplan::json {

namespace detail {
void append(std::string& out, Type const& type, void const* value);
}

template <class T>
void append(std::string& out, T const& value) {
    detail::append(out, type_of<T>(), &value);
}

template <class T>
std::string encode(T const& value) {
    std::string out;
    detail::append(out, type_of<T>(), &value);
    return out;
}

}  // namespace buildplan::json
