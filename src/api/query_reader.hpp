// The query of a request into a described struct: every text becomes what its member is, and the JSON codec judges the
// whole, so that lengths, ranges, formats and enums hold here as they do in a body.
#pragma once

#include <vector>

#include "api/route.hpp"
#include "core/json/type.hpp"
#include "core/problem.hpp"
#include "net/request.hpp"

namespace buildplan::api {

// A list member takes its name repeated: ?state=a&state=b. Throws 422 `invalid`, with pointers like "?state": for what
// does not fit, a name that is given twice, and one that is neither a member nor, in a paged route, limit, cursor,
// sort.
void decode_query(std::vector<net::QueryParameter> const& query, Route const& route, json::Type const& type, void* out);

// What is wrong with the query of a request before anybody reads it: limit, cursor or sort given twice, a sort that the
// route does not have, and, where the route declares no query of its own, any other name.
std::vector<FieldError> misfits_of_query(std::vector<net::QueryParameter> const& query, Route const& route);

}  // namespace buildplan::api
