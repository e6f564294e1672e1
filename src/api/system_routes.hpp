// The routes of the installation itself: is it alive, can it serve, what does it measure, what does it offer.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::api {

std::span<Route const> system_routes() noexcept;

}  // namespace buildplan::api
