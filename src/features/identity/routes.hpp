// The REST face of signing in: /auth and /v1/sessions.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::identity {

std::span<api::Route const> routes() noexcept;

}  // namespace buildplan::identity
