// Slugs that no organization gets, since they stand, or may stand one day, beside organizations in an address, or would
// make an organization look like the installation itself.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace buildplan::organizations {

inline constexpr auto reserved_slugs = std::to_array<std::string_view>(
    {"about",   "account",   "admin",  "agents",    "api",  "app",      "assets",     "auth",   "billing",
     "blog",    "buildplan", "cdn",    "contact",   "docs", "git",      "graphql",    "health", "help",
     "invite",  "login",     "logout", "mail",      "mcp",  "me",       "metrics",    "new",    "null",
     "openapi", "ops",       "ready",  "register",  "root", "security", "settings",   "signup", "static",
     "status",  "support",   "system", "undefined", "v1",   "webhooks", "well-known", "ws",     "www"});

constexpr bool is_reserved_slug(std::string_view slug) noexcept {
    return std::ranges::find(reserved_slugs, slug) != reserved_slugs.end();
}

}  // namespace buildplan::organizations
