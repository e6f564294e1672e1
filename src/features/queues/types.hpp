// The queues of the installation as operators see them: all organizations together.
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "core/json/json.hpp"
#include "core/time.hpp"
#include "queue/jobs/entry.hpp"

namespace buildplan::queues {

using queue::jobs::EntryId;

// How many jobs are in which state, as the queue has them.
struct Depth {
    std::int64_t waiting = 0, active = 0, delayed = 0;
};
BOOST_DESCRIBE_STRUCT(Depth, (), (waiting, active, delayed))

struct TierStatus {
    std::string tier;
    std::int64_t owed = 0;
    std::int64_t dead = 0;
    std::optional<Depth> depth;
    double lag_seconds = 0;
};
BOOST_DESCRIBE_STRUCT(TierStatus, (), (tier, owed, dead, depth, lag_seconds))
constexpr auto json_rules(TierStatus const*) {
    return json::fields(json::field("owed").about("Jobs that are to be done, as the database has them."),
                        json::field("dead").about("Jobs that have failed for good and can be retried."),
                        json::field("depth").write_null().about("As the queue has them; null while it is away."),
                        json::field("lag_seconds").about("The age of the oldest job that could be begun now."));
}

struct QueueStatus {
    std::string name;
    bool paused = false;
    std::int64_t owed = 0;
    std::int64_t dead = 0;
    std::optional<Depth> depth;
    double lag_seconds = 0;
    std::vector<TierStatus> tiers;
};
BOOST_DESCRIBE_STRUCT(QueueStatus, (), (name, paused, owed, dead, depth, lag_seconds, tiers))
constexpr auto json_rules(QueueStatus const*) {
    return json::fields(json::field("depth").write_null(), json::field("tiers").items(0, 3));
}

struct QueueList {
    std::vector<QueueStatus> items;
    std::int64_t waiting_events = 0;
    double waiting_seconds = 0;
};
BOOST_DESCRIBE_STRUCT(QueueList, (), (items, waiting_events, waiting_seconds))
constexpr auto json_rules(QueueList const*) {
    return json::fields(json::field("items").items(0, 100),
                        json::field("waiting_events")
                            .about("Events that have not been given to a queue yet; counted up to a hundred thousand."),
                        json::field("waiting_seconds").about("The age of the oldest of them."));
}

struct DeadJob {
    EntryId id;
    OrganizationId organization_id;
    std::string queue;
    std::string name;
    std::string topic;
    std::string error;
    std::int32_t attempts = 0;
    std::int32_t round = 0;
    Timestamp created_at, failed_at;
};
BOOST_DESCRIBE_STRUCT(DeadJob, (),
                      (id, organization_id, queue, name, topic, error, attempts, round, created_at, failed_at))
constexpr auto json_rules(DeadJob const*) {
    return json::fields(json::field("round").about("How often it was retried before."),
                        json::field("name").about("Empty for an event whose topic names no queue."));
}

// How many jobs something was done to.
struct Affected {
    std::int64_t jobs = 0;
};
BOOST_DESCRIBE_STRUCT(Affected, (), (jobs))

}  // namespace buildplan::queues
