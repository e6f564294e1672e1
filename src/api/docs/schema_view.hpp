// JSON Schemas as people read them.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace buildplan::api::docs {

// The type of a value in a few words, as HTML: "string (uuid)", "list of <a>Workspace</a>", "integer, 1 to 100".
std::string type_of_schema(boost::json::object const& schema);

// The fields of an object as a table; nothing for what is no object.
std::string fields_table(boost::json::object const& schema);

// The name behind "#/components/schemas/Name"; empty where there is no reference.
std::string referenced_schema(boost::json::object const& schema);

// A value that fits, for examples: of enums the first, of formats a usual one.
boost::json::value example_of_schema(boost::json::object const& schema, boost::json::object const& definitions,
                                     unsigned depth = 0);

}  // namespace buildplan::api::docs
