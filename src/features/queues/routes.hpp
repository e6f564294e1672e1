// The queues of the installation, for whoever runs it.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::queues {

std::span<api::Route const> routes() noexcept;

}  // namespace buildplan::queues
