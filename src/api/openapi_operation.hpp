// One route as an OpenAPI operation.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "api/route.hpp"
#include "core/json/schema.hpp"

namespace buildplan::api {

// "/v1/things/{name:slug}" becomes "/v1/things/{name}".
std::string openapi_path(std::string_view pattern);

boost::json::object operation(Route const& route, json::Schemas& schemas, boost::json::object& shared_responses);

// components/parameters: what operations point at.
boost::json::object shared_parameters();

}  // namespace buildplan::api
