// The REST face of billing.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::billing {

std::span<api::Route const> routes() noexcept;

}  // namespace buildplan::billing
