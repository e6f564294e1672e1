// JSON Merge Patch (RFC 7396) on JSON of no particular shape. Members of structs have core/json/patch.hpp.
#pragma once

#include <boost/json/value.hpp>

namespace buildplan::json {

// Both are as deep as check_free_json allows, at most: it recurses.
void merge_patch(boost::json::value& target, boost::json::value const& patch);

}  // namespace buildplan::json
