// The REST face of organizations, their people and their workspaces: a table for each.
#pragma once

#include <span>

#include "api/route.hpp"

namespace buildplan::organizations {

std::span<api::Route const> organization_routes() noexcept;
std::span<api::Route const> member_routes() noexcept;
std::span<api::Route const> invitation_routes() noexcept;
std::span<api::Route const> role_routes() noexcept;
std::span<api::Route const> workspace_routes() noexcept;

}  // namespace buildplan::organizations
