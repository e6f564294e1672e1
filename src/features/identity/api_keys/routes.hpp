// The REST face of API keys.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::identity {

std::span<api::Route const> api_key_routes() noexcept;

}  // namespace buildplan::identity
