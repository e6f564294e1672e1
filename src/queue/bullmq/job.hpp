// Job: one job as it lies in Redis, plain data. Data, return value, progress and stack traces are JSON texts, as BullMQ
// stores them. `options` are read when somebody asks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "queue/bullmq/job_options.hpp"
#include "queue/bullmq/time.hpp"
#include "redis/value.hpp"

namespace buildplan::queue::bullmq {

struct Job {
    std::string id;
    std::string name;
    std::string data = "{}";
    std::string options_json = "{}";
    Moment timestamp{};  // when it was added
    Millis delay{0};
    std::uint32_t priority = 0;
    std::int64_t attempts_started = 0, attempts_made = 0, stalled = 0;
    std::optional<Moment> processed_on = {}, finished_on = {};
    std::string progress;  // "": none yet
    std::string return_value;
    std::string failed_reason;
    std::string stacktrace;        // a JSON array of texts
    std::string deferred_failure;  // why it is to fail as soon as a worker has it
    std::string parent_key;        // "PREFIX:QUEUE:ID"
    std::string parent;            // as JSON: {"id", "queueKey", …}
    std::string repeat_job_key;    // the job scheduler that made it
    std::string deduplication_id;
    std::string processed_by;

    // Throws std::invalid_argument where they are no JSON object.
    [[nodiscard]] JobOptions options() const { return parse_options(options_json); }
};

// From the fields and values of its hash, in any order (HGETALL, or what scripts answer with). Nothing for a job that
// is not there.
std::optional<Job> read_job(std::string id, redis::Value fields);

// What a script that hands out jobs answers with.
struct Next {
    std::optional<Job> job = {};
    Millis limited{0};       // how long the rate limit still holds, when that is why there is none
    Moment delayed_until{};  // when the next delayed job is due, when there is one
};
Next read_next(redis::Value reply);

}  // namespace buildplan::queue::bullmq
