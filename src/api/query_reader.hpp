// The query of a request into a described struct: every text becomes what its member is, and the JSON codec judges the
// whole, so that lengths, ranges, formats and enums hold here as they do in a body.
#pragma once

#include <vector>

#include "api/route.hpp"
#include "core/json/type.hpp"
#include "net/request.hpp"

namespace buildplan::api {

// A list member takes its name repeated: ?state=a&state=b. Throws 422 `invalid`, with pointers like "?state": for what
// does not fit, a name that is given twice, and one that is neither a member nor, in a paged route, limit, cursor,
// sort.
void decode_query(std::vector<net::QueryParameter> const& query, Route const& route, json::Type const& type, void* out);

}  // namespace buildplan::api
