#include "features/queues/standing.hpp"

#include <algorithm>

#include "features/queues/queries.gen.hpp"
#include "queue/bullmq/keys.hpp"
#include "queue/fair/tier.hpp"
#include "queue/jobs/table.hpp"

namespace buildplan::queues {
namespace {

constexpr std::string_view work = "measure_queues";
constexpr std::int64_t most_asked = 20'000;  // queues of organizations
constexpr std::size_t at_once = 500;
constexpr std::size_t commands_each = 5;

// The id of one of our jobs begins with the time at which its row was made.
std::optional<Timestamp> made_at(std::string_view job_id) {
    auto const entry = queue::jobs::Entry::parse(job_id);
    if (!entry) return std::nullopt;
    std::int64_t milliseconds = 0;
    for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | entry->id.value.bytes[i];
    return Timestamp{std::chrono::milliseconds{milliseconds}};
}

TierStatus& tier_of(Standing& standing, std::string const& queue, std::string_view tier) {
    auto& tiers = standing.of[queue];
    if (tiers.empty()) {
        for (auto const& row : queue::fair::tiers) {
            TierStatus status;
            status.tier = row.name;
            if (standing.redis) status.depth.emplace();
            tiers.push_back(std::move(status));
        }
    }
    auto const known = queue::fair::parse_tier(tier).value_or(queue::fair::Tier::free);
    return tiers[queue::fair::index_of(known)];
}

using Owed = std::vector<queries::OwedByOrganization::Row>;

task<> ask_redis(Standing& standing, redis::Client& redis, Owed const& owed) {
    using queue::bullmq::QueueKeys;
    auto const time = now();
    for (std::size_t from = 0; from < owed.size(); from += at_once) {
        auto const until = std::min(owed.size(), from + at_once);
        std::vector<redis::Command> commands;
        for (std::size_t i = from; i < until; ++i) {
            QueueKeys const keys(owed[i].organization_id, owed[i].queue);
            commands.emplace_back("LLEN", keys[QueueKeys::wait]);
            commands.emplace_back("ZCARD", keys[QueueKeys::prioritized]);
            commands.emplace_back("LLEN", keys[QueueKeys::active]);
            commands.emplace_back("ZCARD", keys[QueueKeys::delayed]);
            commands.emplace_back("LINDEX", keys[QueueKeys::wait], -1);
        }
        auto const replies = co_await redis.pipeline(std::move(commands));
        for (std::size_t i = from; i < until; ++i) {
            auto const* const of = &replies[(i - from) * commands_each];
            if (std::any_of(of, of + commands_each, [](redis::Value const& each) { return each.is_error(); })) continue;
            auto& tier = tier_of(standing, owed[i].queue, owed[i].tier);
            tier.depth->waiting += of[0].as_integer() + of[1].as_integer();
            tier.depth->active += of[2].as_integer();
            tier.depth->delayed += of[3].as_integer();
            auto const oldest = of[4].is_nil() ? std::nullopt : made_at(of[4].as_text());
            if (oldest)
                tier.lag_seconds = std::max(tier.lag_seconds, std::chrono::duration<double>(time - *oldest).count());
        }
    }
}

}  // namespace

task<Standing> read_standing(postgres::SystemPool& system, redis::Client* redis) {
    queries::OwedByOrganization const owed_query{.limit = most_asked};
    queries::DeadByQueue const dead_query;
    auto const owed = co_await system.all(work, owed_query, postgres::Lane::heavy);
    auto const dead = co_await system.all(work, dead_query, postgres::Lane::heavy);
    Standing standing;
    standing.redis = redis != nullptr && redis->available();
    for (auto const queue : queue::jobs::queues::all) tier_of(standing, std::string(queue), "FREE");
    if (standing.redis) {
        try {
            co_await ask_redis(standing, *redis, owed);
        } catch (redis::Failure const&) {
            standing.redis = false;
        }
    }
    if (!standing.redis) {
        standing.of.clear();
        for (auto const queue : queue::jobs::queues::all) tier_of(standing, std::string(queue), "FREE");
    }
    auto const time = now();
    for (auto const& row : owed) {
        auto& tier = tier_of(standing, row.queue, row.tier);
        tier.owed += row.owed;
        // Without the queue nobody knows which of them could be begun.
        if (!standing.redis)
            tier.lag_seconds = std::max(tier.lag_seconds, std::chrono::duration<double>(time - row.oldest).count());
    }
    for (auto const& row : dead) tier_of(standing, row.queue, row.tier).dead += row.dead;
    co_return standing;
}

}  // namespace buildplan::queues
