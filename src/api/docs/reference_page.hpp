// The reference pages at /docs: plain HTML made of the OpenAPI document. Nothing comes from elsewhere and there is no
// script, so they work offline, by keyboard, in the dark and on a telephone.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "api/route.hpp"

namespace buildplan::api::docs {

// /docs: every operation, by tag, and every schema.
std::string reference_page(boost::json::object const& openapi);

// /docs/problems: every kind of problem, at the anchor that `type` points at.
std::string problems_page(RouteTables tables);

// /docs/style.css
std::string_view style_sheet() noexcept;

}  // namespace buildplan::api::docs
