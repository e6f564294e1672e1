// Working on jobs: commands for one flight of a shared redis::Client. One connection can so serve any number of queues:
// nothing here waits, keeps state of a queue or needs a timer. Whoever takes a job
//   - extends its lock (extend_locks_command) well before `lock_duration` is over,
//   - ends it with one of complete_, fail_, delay_, retry_ or give_back_command under the same token,
//   - and sees to it that somebody runs stalled_command on each queue now and then.
// A reply that is lost may have been carried out: doing it again is then Refused (Refused::is_lost).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "queue/bullmq/job.hpp"
#include "queue/bullmq/keys.hpp"
#include "queue/bullmq/refused.hpp"
#include "redis/command.hpp"

namespace buildplan::queue::bullmq {

struct RateLimit {
    std::int64_t max = 0;  // jobs of the queue within `duration`, by all workers
    Millis duration{0};
};

// With what a job is taken.
struct Claim {
    std::string token = {};  // whose lock it is; unique to who works on one job at a time
    Millis lock_duration{30'000};
    std::optional<RateLimit> limit = {};  // the queue's own (Queue::set_rate_limit) is used before it
    std::string worker = {};              // stored as the job's processed_by when not empty
};

// Takes the next job: Next, by read_next. Paused, at its limit and empty look alike.
redis::Command move_to_active_command(QueueKeys const& keys, Claim const& claim, Moment now);

// What is active under that token: how a job is found whose taking was carried out although its reply was lost. Read by
// read_next. Goes through all that is active.
redis::Command claimed_command(QueueKeys const& keys, std::string_view token);

// Wakes a worker if there may be something to do, for a marker that was taken and not used.
redis::Command wake_command(QueueKeys const& keys);

struct Finish {
    bool fetch_next = false;                          // take the next one in the same round trip, under the same claim
    std::optional<Keep> completed = {}, failed = {};  // where the job's own options do not say
    std::optional<std::int64_t> metrics_points = {};  // minutes of metrics:completed and metrics:failed that are kept
};

// What is noted with a job that has failed.
struct Failure {
    std::string reason = {};
    std::string stacktrace = {};  // a JSON array, by add_stack()
};
// `stacktrace` of a job with one more entry, no longer than the job's options allow.
std::string add_stack(std::string_view stacktrace, std::string_view entry, JobOptions const& options);

// All of these are read by read_finished.
redis::Command complete_command(QueueKeys const& keys, Job const& job, JobOptions const& options,
                                std::string_view return_value, Claim const& claim, Finish const& finish, Moment now);
redis::Command fail_command(QueueKeys const& keys, Job const& job, JobOptions const& options, Failure const& failure,
                            Claim const& claim, Finish const& finish, Moment now);

struct Delay {
    Millis by{0};
    bool counts_as_attempt = true;
    std::optional<Failure> failure = {};
    bool fetch_next = false;
};
redis::Command delay_command(QueueKeys const& keys, std::string_view job_id, Delay const& delay, Claim const& claim,
                             Moment now);

// Throws Refused for one that nobody carried out: is_lost() when the job is no longer ours.
Next read_finished(redis::Value reply, std::string_view job_id);

// At once again, behind the others (or before them: lifo); counts as an attempt. Read by require_done.
redis::Command retry_command(QueueKeys const& keys, std::string_view job_id, bool lifo, Failure const& failure,
                             std::string_view token, Moment now);

// Back to the front of the queue as if it had not been taken, e.g. because the worker stops. Several commands: of
// prioritised jobs BullMQ's script tells no idle worker. The first reply is read by require_done; where the queue is
// limited it is how long, in milliseconds.
std::vector<redis::Command> give_back_commands(QueueKeys const& keys, Job const& job, std::string_view token);

// Aside until its children are finished. 0: done; 1: there are none pending. Otherwise read by require_done.
redis::Command wait_for_children_command(QueueKeys const& keys, std::string_view job_id, std::string_view token,
                                         Moment now);

// What is to be tried again, when: the wait before the next attempt after one more failed. Nothing: it has failed for
// good. Throws std::invalid_argument for a strategy that is not known.
std::optional<Millis> retry_delay(JobOptions const& options, std::int64_t attempts_made);

struct Lock {
    std::string_view job_id;
    std::string_view token;
};
// One script for all locks on a queue. Answers with the ids of those that are lost: read_ids.
redis::Command extend_locks_command(QueueKeys const& keys, std::span<Lock const> locks, Millis duration);
redis::Command extend_lock_command(QueueKeys const& keys, Lock lock, Millis duration);  // 1: extended

struct Stalled {
    std::int64_t max_count = 1;  // how often a job may lose its worker before it fails
    Millis interval{30'000};     // whoever asks earlier is answered with nothing
};
// Takes jobs whose lock has run out since the last call back to the queue: read_ids. It needs two calls to see one.
redis::Command stalled_command(QueueKeys const& keys, Stalled const& stalled, Moment now);

std::vector<std::string> read_ids(redis::Value reply);

}  // namespace buildplan::queue::bullmq
