#include "features/route_table.hpp"

#include <array>

#include "api/system_routes.hpp"
#include "features/billing/routes.hpp"
#include "features/organizations/routes.hpp"

namespace buildplan::features {

api::RouteTables route_tables() {
    static auto const tables = std::to_array<std::span<api::Route const>>({
        organizations::routes(),
        billing::routes(),
        api::system_routes(),
    });
    return tables;
}

}  // namespace buildplan::features
