// JobOptions: what BullMQ calls JobsOptions, with BullMQ's meanings; what is not set is not stored.
// `contract_options()` are the product's defaults.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "queue/bullmq/time.hpp"

namespace buildplan::queue::bullmq {

struct Backoff {
    std::string type = "exponential";  // or "fixed"; others need a strategy of the worker
    Millis delay{0};
    std::optional<double> jitter = {};  // 0 to 1

    friend bool operator==(Backoff const&, Backoff const&) = default;
};

// How many finished jobs of a queue stay. Nothing set: all.
struct Keep {
    std::optional<std::int64_t> count = {};  // 0: none
    std::optional<std::int64_t> age = {};    // seconds
    std::optional<std::int64_t> limit = {};  // how many are removed at once at most

    static Keep all() { return {.count = -1}; }
    static Keep none() { return last(0); }
    static Keep last(std::int64_t count) { return {.count = count}; }
    friend bool operator==(Keep const&, Keep const&) = default;
};

// A job whose id is that of one that is still there is not added.
struct Deduplication {
    std::string id;
    std::optional<Millis> ttl = {};  // without: until the job is finished
    bool extend = false;             // the ttl begins anew with each that is not added
    bool replace = false;            // a delayed one gives way
    bool keep_last_if_active = false;
    bool reschedule = false;

    friend bool operator==(Deduplication const&, Deduplication const&) = default;
};

struct Parent {
    std::string id;
    std::string queue;  // "PREFIX:QUEUE"

    friend bool operator==(Parent const&, Parent const&) = default;
};

// What becomes of the parent when this job fails for good.
enum class OnFailure : std::uint8_t { nothing, fail_parent, continue_parent, ignore_dependency, remove_dependency };

struct JobOptions {
    std::optional<std::string> job_id = {};  // not an integer, no colon
    std::optional<std::int64_t> attempts = {};
    std::optional<Backoff> backoff = {};
    std::optional<Millis> delay = {};
    std::optional<std::uint32_t> priority = {};  // 1 is first, up to 2,097,151; 0: none, before all that have one
    std::optional<bool> lifo = {};
    std::optional<Keep> remove_on_complete = {}, remove_on_fail = {};
    std::optional<Deduplication> deduplication = {};
    std::optional<Parent> parent = {};
    OnFailure on_failure = OnFailure::nothing;
    std::optional<std::int64_t> keep_logs = {}, size_limit = {}, stack_trace_limit = {};
    std::optional<Moment> timestamp = {};
    std::optional<std::string> telemetry = {};  // metadata that travels with the job
    std::optional<bool> omit_context = {};

    // What is not set here is taken from `defaults`.
    [[nodiscard]] JobOptions over(JobOptions const& defaults) const;
    friend bool operator==(JobOptions const&, JobOptions const&) = default;
};

// The contract's: 3 attempts, 2,000 ms and twice that each time, the last 100 completed and 50 failed jobs stay.
JobOptions const& contract_options();

// Throws std::invalid_argument for what BullMQ refuses, too. `data_size` is that of the job's data.
void check(JobOptions const& options, std::size_t data_size);

// Appends them as a MessagePack map, as BullMQ stores them with a job (`attempts` is always there), without the
// `repeat` and the like of a job scheduler.
void pack_options(std::string& out, JobOptions const& options);

// The same as JSON, without `attempts` where they are not said.
boost::json::object options_object(JobOptions const& options);

// From the JSON that is stored with a job, whoever wrote it; what is not known is passed over. Throws
// std::invalid_argument where it is no JSON object.
JobOptions parse_options(std::string_view json);

}  // namespace buildplan::queue::bullmq
