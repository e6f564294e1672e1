// Whether the chains of the audit log hold, for `buildplan audit verify`. Blocking: for a program of its own, never for
// what answers requests. Reads each organization as that organization, under row-level security, in one snapshot, so
// that it can run beside everything else. Throws as postgres/session.hpp says.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "features/audit/chain.hpp"
#include "postgres/session.hpp"

namespace buildplan::audit {

struct Verified {
    OrganizationId organization;
    std::int64_t entries = 0;  // those before the break, where there is one
    std::string hash;          // of the last of them, in hex
    std::optional<Break> broken;
};

// What was known of a chain before.
struct Known {
    std::int64_t entries = 0;
    std::string hash;  // 32 bytes
};

// `app` is a session as buildplan_app.
Verified verify(postgres::Session& app, OrganizationId organization, std::optional<Known> const& known = {});

// The organization of this slug or id, or, where `name` is empty, all of them; `system` is a session as
// buildplan_system. Returns how many there were.
std::size_t each_organization(postgres::Session& system, std::string const& name,
                              std::function<void(OrganizationId, std::string const& slug)> const& visit);

}  // namespace buildplan::audit
