// The REST face of organizations.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::organizations {

std::span<api::Route const> routes() noexcept;

}  // namespace buildplan::organizations
