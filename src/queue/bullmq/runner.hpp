// Runner: carries out jobs that somebody has taken, of any number of queues of one client: runs the handler, keeps the
// locks of all that is running (one script for each queue and round, all in one flight), finishes, fails, delays and
// retries as BullMQ does, and hands back what is not finished when it stops. What takes the jobs stands above it: a
// Worker for one queue, or a scheduler for thousands.
//
// While Redis is away the handler runs on; its result is kept until the lock has run out. A reply that is lost is asked
// for again, so that no job lies about until it counts as stalled.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "queue/bullmq/consume.hpp"
#include "queue/bullmq/queue.hpp"
#include "redis/client.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"

namespace buildplan::queue::bullmq {

class Run;

// What became of a job, as its handler tells.
struct Completed {
    std::string value = "null";  // JSON
};
struct Later {
    Millis by{0};  // delayed, without counting as an attempt
};
struct Limited {
    Millis by{0};  // back to the queue, all of which rests for so long
};
struct Moved {};  // the handler has moved it: Run::wait_for_children
using Result = std::variant<Completed, Later, Limited, Moved>;

// A handler that throws has failed; whether it is tried again says the job (attempts, backoff), unless it throws this.
class Unrecoverable : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Called for each job, on the runner's loop. It is cancelled (its awaits throw operation_aborted) when somebody cancels
// the job, its lock is lost or the runner stops. `run` lives until it is done.
using Handler = std::function<task<Result>(Run& run)>;

// The job that every queue answers: {"pong": true}. Others are none of its business: Unrecoverable.
task<Result> answer_ping(Run& run);

struct RunnerOptions {
    Finish finish;  // fetch_next is said for each job
    std::optional<std::int64_t> most_starts = {};
    // For strategies of backoff that BullMQ does not have; nothing: fail for good.
    std::function<std::optional<Millis>(Backoff const&, std::int64_t attempts_made)> backoff = {};
    std::string metrics_name = "queue";
};

enum class AfterCancel : bool { retry, fail };  // like any failure, or for good

class Runner {
public:
    // `client` and `loop` outlive it, and so must the loop run until stop() has returned.
    Runner(Loop& loop, redis::Client& client, Handler handler, RunnerOptions options = {});
    ~Runner();
    Runner(Runner const&) = delete;
    Runner& operator=(Runner const&) = delete;

    // Carries out a job that has been taken under `claim`, and finishes it. `fetch_next` is asked when it is finished;
    // where it says so the next job is taken under the same claim, in the same round trip. Throws nothing but what
    // cannot be helped (std::bad_alloc).
    task<Next> work(std::shared_ptr<QueueKeys const> keys, Job job, Claim claim, std::function<bool()> fetch_next);

    // False when the job is not running here.
    bool cancel(QueueKeys const& keys, std::string_view job_id, std::string reason, AfterCancel after);
    void cancel_all(std::string const& reason, AfterCancel after);

    [[nodiscard]] std::size_t running() const noexcept;

    // Waits for what runs for at most so long, then cancels it and hands it back to its queue.
    task<> stop(Millis grace);

private:
    friend class Run;
    struct State;
    std::shared_ptr<State> state_;
};

// A job that is being worked on, as its handler sees it.
class Run {
public:
    [[nodiscard]] Job const& job() const noexcept { return job_; }
    [[nodiscard]] JobOptions const& options() const noexcept { return options_; }
    [[nodiscard]] QueueKeys const& keys() const noexcept { return *keys_; }
    [[nodiscard]] std::string_view token() const noexcept { return claim_.token; }
    [[nodiscard]] Queue queue() const { return Queue(*client_, *keys_); }
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }
    [[nodiscard]] std::string_view why_cancelled() const noexcept { return reason_; }

    task<> progress(std::string json);
    task<std::int64_t> log(std::string line);
    task<> update_data(std::string json);
    // True: the job is aside until its children are finished; the handler then returns Moved and is called again later.
    // False: none is pending.
    task<bool> wait_for_children();
    // Keys of the children that are completed, each with its result as JSON.
    task<std::vector<std::pair<std::string, std::string>>> children_values();

    // Made by a runner.
    Run(redis::Client& client, std::shared_ptr<QueueKeys const> keys, Job job, Claim claim)
        : client_(&client), keys_(std::move(keys)), job_(std::move(job)), claim_(std::move(claim)) {}
    Run(Run const&) = delete;
    Run& operator=(Run const&) = delete;

private:
    friend class Runner;
    friend struct Runner::State;
    void cancel(std::string reason, AfterCancel after);

    redis::Client* client_;
    std::shared_ptr<QueueKeys const> keys_;
    Job job_;
    Claim claim_;
    JobOptions options_;

    std::chrono::steady_clock::time_point locked_;  // when the lock was last known to be ours
    asio::cancellation_signal signal_;
    bool in_handler_ = false, cancelled_ = false;
    bool lost_ = false;       // the lock is
    bool hand_back_ = false;  // the runner stops
    bool handed_back_ = false;
    AfterCancel after_ = AfterCancel::retry;
    std::string reason_;
};

}  // namespace buildplan::queue::bullmq
