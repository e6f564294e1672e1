// The three roles of BuildPlan, in a database of our own or on a managed service:
//   buildplan_owner   migrates and owns everything
//   buildplan_app     serves requests: owns nothing, and row-level security holds it
//   buildplan_system  named work across tenants. Row-level security holds it too: what it may see, a policy and a grant
//                     of a migration say, table by table. It needs no BYPASSRLS, which managed services do not give.
// Timeouts and planner settings belong to the roles, so that they hold whoever connects.
#pragma once

#include <optional>
#include <string>

namespace buildplan::postgres {

// Set for a role when given; otherwise its password stays as it is (none, for a new one).
struct RolePasswords {
    std::optional<std::string> owner{};
    std::optional<std::string> app{};
    std::optional<std::string> system{};
};

// Makes what is missing and puts right what is not as it should be; changes nothing the second time. The URL is that of
// a superuser, or of a role with CREATEROLE that owns the database; any role will do when nothing is missing.
// Throws OperatorError.
void bootstrap_roles(std::string const& admin_url, RolePasswords const& passwords = {});

}  // namespace buildplan::postgres
