// What operators do with the queues of all organizations. PostgreSQL says what is owed, done and dead, the queue's
// Redis how what is owed stands; without Redis what PostgreSQL knows is told. Throws what the pools throw;
// redis::Failure only where it says so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/actor.hpp"
#include "features/queues/types.hpp"
#include "postgres/pool.hpp"
#include "redis/client.hpp"

namespace buildplan::queues {

// The contract's, and the one of events that name none.
bool is_known(std::string_view queue) noexcept;

// `redis` may be missing.
task<QueueList> list(postgres::SystemPool& system, redis::Client* redis);
// Nothing for a queue that there is not.
task<std::optional<QueueStatus>> get(postgres::SystemPool& system, redis::Client* redis, std::string queue);

using AfterDead = std::optional<std::tuple<Timestamp, EntryId>>;
// Latest first.
task<std::vector<DeadJob>> dead_jobs(postgres::SystemPool& system, std::string queue, AfterDead after,
                                     std::int64_t limit);
// Another round; false when there is no such dead job (any more). Recorded in the organization's audit log.
task<bool> retry(postgres::SystemPool& system, Actor const& actor, std::string queue, EntryId job);
// All that are dead now; how many.
task<std::int64_t> retry_all(postgres::SystemPool& system, std::string queue);

// Nobody works on it within a second or so; jobs at work go on. The same again changes nothing.
task<> pause(postgres::SystemPool& system, std::string queue);
task<> resume(postgres::SystemPool& system, redis::Client* redis, std::string queue);

// Gives up all jobs of a queue that nobody has begun: they are dead, and can be retried. How many. Throws
// redis::Failure.
task<std::int64_t> drain(postgres::SystemPool& system, redis::Client& redis, std::string queue);

}  // namespace buildplan::queues
