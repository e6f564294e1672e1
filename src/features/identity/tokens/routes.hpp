// The keys that verify access tokens, for everybody.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::identity {

std::span<api::Route const> token_routes() noexcept;

}  // namespace buildplan::identity
