// Billing: what organizations pay for and what they use. Who takes the money (an operator, later Stripe) changes a
// subscription; a tenant only reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/shard.hpp"
#include "api/tx.hpp"
#include "core/actor.hpp"
#include "core/principal.hpp"
#include "features/billing/types.hpp"

namespace buildplan::billing {

struct VersionedSubscription {
    Subscription subscription;
    std::int32_t version = 0;
};

// Nothing for somebody without an organization.
task<std::optional<VersionedSubscription>> get_subscription(postgres::Pool& pool, Principal const& principal);

// Recorded in the audit log and told in the outbox; every instance goes by the new limits within two seconds. False
// when there is no such organization.
task<bool> change_subscription(api::Shard& shard, Actor actor, OrganizationId organization, SubscriptionChange change);

// For whoever changes an organization's settings or features: when the transaction is committed, nobody goes by the old
// ones any more.
void announce_settings_changed(api::Tx& tx, api::Shard& shard, OrganizationId organization);

// How many agents of the organization may work at the same time; -1: any number.
task<std::int64_t> agent_limit(api::Shard& shard, Principal const& principal);

// Within the transaction of what was done, in the period that is now.
task<> add_usage(api::Tx& tx, UsageAdded added);

task<UsageReport> usage_report(api::Shard& shard, Principal const& principal);

// What an operator wrote by hand may not fit: then there are none.
std::optional<CustomLimits> read_custom_limits(std::string_view json) noexcept;

}  // namespace buildplan::billing
