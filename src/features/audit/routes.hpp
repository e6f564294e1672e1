// The REST face of the audit log.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::audit {

std::span<api::Route const> routes() noexcept;

}  // namespace buildplan::audit
