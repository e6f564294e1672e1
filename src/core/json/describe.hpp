// type_of<T>(): the run-time description of a C++ type. Takes bool, integers, double, std::string, Uuid, Id<Tag>,
// Timestamp, std::optional, std::vector, std::map with string keys, Patch, enums of BOOST_DESCRIBE_ENUM, structs of
// BOOST_DESCRIBE_STRUCT (default-constructible, with their described bases), boost::json::value and object. Other
// types, and rules that do not fit, are refused at compile time with a sentence that says why.
#pragma once

#include "core/json/describe_named.hpp"
#include "core/json/describe_values.hpp"

namespace buildplan::json {

template <class T>
Type const& type_of() noexcept {
    return detail::TypeOf<T>::value;
}

}  // namespace buildplan::json
