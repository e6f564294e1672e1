#include "features/audit/verify.hpp"

#include <limits>

#include "core/text.hpp"

namespace buildplan::audit {
namespace {

constexpr std::int64_t entries_at_a_time = 200;
constexpr std::int64_t organizations_at_a_time = 1000;

}  // namespace

Verified verify(postgres::Session& app, OrganizationId organization, std::optional<Known> const& known) {
    ChainCheck check(organization);
    if (known) check.expect(known->entries, known->hash);
    app.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    app.query("SELECT set_config('app.current_organization_id', $1, true)", {organization.to_string()});
    for (std::int64_t seq = std::numeric_limits<std::int64_t>::min(); !check.broken();) {
        auto const rows = app.rows(queries::Chain{.after_seq = seq, .limit = entries_at_a_time});
        for (auto const& row : rows) check.next(row);
        if (std::ssize(rows) < entries_at_a_time) break;
        seq = rows.back().seq;
    }
    auto const head = app.rows(queries::ChainHead{});
    app.execute("COMMIT");
    check.end(head.empty() ? std::nullopt : std::optional{head.front()});
    return {.organization = organization,
            .entries = check.entries(),
            .hash = to_hex(check.hash()),
            .broken = check.broken()};
}

std::size_t each_organization(postgres::Session& system, std::string const& name,
                              std::function<void(OrganizationId, std::string const& slug)> const& visit) {
    if (!name.empty()) {
        auto const found = system.rows(queries::FindOrganization{.name = name});
        for (auto const& row : found) visit(row.id, row.slug);
        return found.size();
    }
    std::size_t count = 0;
    OrganizationId last;
    while (true) {
        auto const found = system.rows(queries::Organizations{.after_id = last, .limit = organizations_at_a_time});
        for (auto const& row : found) visit(row.id, row.slug);
        count += found.size();
        if (std::ssize(found) < organizations_at_a_time) return count;
        last = found.back().id;
    }
}

}  // namespace buildplan::audit
