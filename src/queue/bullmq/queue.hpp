// Queue: what a producer and an operator do with one queue. It is no more than the queue's keys and a shared client, so
// it is cheap to make and any number of them share a connection.
//
// Throws redis::Failure as the client does, Refused when a job is not there or not in the state that is needed, and
// std::invalid_argument for options that BullMQ refuses, too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queue/bullmq/consume.hpp"
#include "queue/bullmq/produce.hpp"
#include "redis/client.hpp"
#include "runtime/task.hpp"

namespace buildplan::queue::bullmq {

enum class State : std::uint8_t {
    waiting,
    active,
    delayed,
    prioritized,
    waiting_children,
    completed,
    failed,
    unknown,  // not there
};
std::string_view to_string(State state) noexcept;  // BullMQ's words
std::optional<State> parse_state(std::string_view word) noexcept;

struct Page {
    std::int64_t first = 0, last = -1;
    bool ascending = false;
};

struct Logs {
    std::vector<std::string> lines;
    std::int64_t count = 0;  // of all
};

// Finished or not, and how.
struct Outcome {
    State state = State::unknown;  // completed, failed, waiting for not yet, unknown
    std::string value = {};        // the return value as JSON, or the reason
};

class Queue {
public:
    Queue(redis::Client& client, QueueKeys keys, JobOptions defaults = contract_options())
        : client_(&client), keys_(std::move(keys)), defaults_(std::move(defaults)) {}

    [[nodiscard]] QueueKeys const& keys() const noexcept { return keys_; }
    [[nodiscard]] redis::Client& client() const noexcept { return *client_; }

    // Writes down which BullMQ made the queue, and how long its stream of events may get, as every BullMQ client does.
    task<> announce(std::int64_t most_events = 10'000);

    // Jobs. `job`'s options are put over the queue's defaults. The ids; one that is a duplicate is not added, its id
    // is.
    task<std::string> add(NewJob job);
    task<std::vector<std::string>> add(std::vector<NewJob> jobs);  // in one flight; the first that is refused is thrown
    task<std::string> ping();                                      // the job that every queue answers

    task<std::optional<Job>> job(std::string job_id);
    task<State> state(std::string job_id);
    task<Outcome> outcome(std::string job_id);
    task<std::vector<Job>> jobs(std::vector<State> states, Page page = {});
    task<std::map<State, std::int64_t>> counts(std::vector<State> states);
    task<std::vector<std::int64_t>> counts_per_priority(std::vector<std::uint32_t> priorities);

    // One job.
    task<> update_data(std::string job_id, std::string data);
    task<> update_progress(std::string job_id, std::string progress);
    task<std::int64_t> log(std::string job_id, std::string line, std::int64_t keep = 0);  // 0: all
    task<Logs> logs(std::string job_id, Page page = {.ascending = true});
    task<> clear_logs(std::string job_id, std::int64_t keep = 0);
    task<> promote(std::string job_id);
    task<> change_delay(std::string job_id, Millis delay);
    task<> change_priority(std::string job_id, std::uint32_t priority, bool lifo = false);
    // A failed or completed one again.
    task<> retry(std::string job_id, State from = State::failed, bool reset_attempts = false);
    // False when a worker holds it or one of its children.
    task<bool> remove(std::string job_id, bool with_children = true);
    task<> remove_unprocessed_children(std::string job_id);
    // False when it was no child of that parent any more.
    task<bool> remove_child_dependency(std::string job_id, std::string parent_key);

    // Deduplication.
    task<std::optional<std::string>> deduplicated_job(std::string deduplication_id);
    task<bool> remove_deduplication(std::string deduplication_id);
    task<bool> remove_deduplication(std::string deduplication_id, std::string job_id);  // only if it is that job's

    // All of it.
    task<> pause();
    task<> resume();
    task<bool> is_paused();
    task<> drain(bool delayed_too = false);
    task<std::vector<std::string>> clean(State state, Millis older_than, std::int64_t most);
    task<> retry_all(State from = State::failed, std::optional<Moment> finished_before = {}, std::int64_t batch = 1000);
    task<> promote_all(std::int64_t batch = 1000);
    // Removes the queue and all that is in it; with jobs being worked on only by `force`.
    task<> obliterate(bool force = false, std::int64_t batch = 1000);
    task<> trim_events(std::int64_t most);

    // How many jobs may be active at once, and how many may be begun in a time, by all workers together.
    task<> set_concurrency(std::optional<std::int64_t> most);
    task<std::optional<std::int64_t>> concurrency();
    task<bool> is_maxed();
    task<> set_rate_limit(std::optional<RateLimit> limit);
    task<> limit_for(Millis duration);  // nothing is begun for so long
    task<Millis> limited_for(std::optional<std::int64_t> max = {});
    task<> remove_limit();

private:
    task<> move_all(std::string_view from, std::int64_t batch, double timestamp);

    redis::Client* client_;
    QueueKeys keys_;
    JobOptions defaults_;
};

}  // namespace buildplan::queue::bullmq
