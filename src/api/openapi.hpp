// The OpenAPI 3.1 document, made of the route tables and of the structs that they name. The same tables give the same
// document, byte for byte, so that it is checked in and a stale one is found.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "api/route.hpp"

namespace buildplan::api {

// Throws std::logic_error where the tables contradict themselves: one operationId twice, a tag described in two ways,
// an example that is no JSON.
boost::json::object openapi_document(RouteTables tables, std::string_view version);

// Indented by two spaces, with a line break at the end: what is checked in.
std::string pretty(boost::json::value const& value);

// "create_workspace" becomes "createWorkspace".
std::string operation_id(Handler const& handler);

}  // namespace buildplan::api
