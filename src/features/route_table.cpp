#include "features/route_table.hpp"

#include <array>

#include "api/system_routes.hpp"
#include "features/audit/routes.hpp"
#include "features/billing/routes.hpp"
#include "features/identity/api_keys/routes.hpp"
#include "features/identity/routes.hpp"
#include "features/identity/tokens/routes.hpp"
#include "features/organizations/routes.hpp"
#include "features/queues/routes.hpp"

namespace buildplan::features {

api::RouteTables route_tables() {
    static auto const tables = std::to_array<std::span<api::Route const>>({
        identity::routes(),
        organizations::organization_routes(),
        organizations::member_routes(),
        organizations::invitation_routes(),
        organizations::role_routes(),
        organizations::workspace_routes(),
        billing::routes(),
        identity::api_key_routes(),
        identity::token_routes(),
        audit::routes(),
        queues::routes(),
        api::system_routes(),
    });
    return tables;
}

}  // namespace buildplan::features
