// All routes of the product, one table for each feature. The router, /metrics, the OpenAPI document and the tests that
// walk the routes see what is in here and nothing else.
#pragma once

#include "api/route.hpp"

namespace buildplan::features {

api::RouteTables route_tables();

}  // namespace buildplan::features
