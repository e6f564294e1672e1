// How one queue of an organization stands, asked in the queue's own slot, in one script over BullMQ 6's keys.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/time.hpp"
#include "queue/bullmq/keys.hpp"
#include "redis/client.hpp"

namespace buildplan::queue::fair {

struct Standing {
    enum class Kind : std::uint8_t {
        ready,   // a job can be had now
        empty,   // there is none
        maxed,   // there are jobs, and as many at work as may be
        paused,  // there are jobs, and the queue is paused
        due,     // there will be one at `when`: delayed, or held by the queue's rate limit
    };
    Kind kind = Kind::empty;
    Timestamp when{};
    std::int64_t active = 0;
};

redis::Command probe_command(bullmq::QueueKeys const& keys, Timestamp now);
Standing read_standing(redis::Value const& reply);
task<Standing> probe(redis::Client& client, bullmq::QueueKeys const& keys);

}  // namespace buildplan::queue::fair
