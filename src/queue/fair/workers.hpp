// Workers: what a process that works does with its queues, on one loop: a pool for each lane, one runner that carries
// out jobs and keeps their locks, and a watch for each lane. Any number of processes and loops do so side by side.
//
// Stopping takes no more jobs, lets those at work finish within the grace, then cancels them and hands them back to
// their queues at once, where the next worker takes them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "queue/fair/handlers.hpp"
#include "queue/fair/pool.hpp"
#include "queue/fair/tenant_jobs.hpp"
#include "queue/fair/watch.hpp"

namespace buildplan::queue::fair {

struct WorkersOptions {
    std::string process = {};              // of all loops of one process; empty: this is its only one
    std::vector<std::string> queues = {};  // empty: all
    std::vector<Tier> tiers{Tier::free, Tier::pro, Tier::enterprise};
    std::size_t concurrency = 10;
    bullmq::Millis lock_duration{30'000};
    std::string slot = "{bpsched:0}";  // the hash tag of the index
    bool watch = true;
    PoolOptions pool = {};  // of these: the times
    WatchOptions watching = {};
    bullmq::RunnerOptions runner = {};
    // Whether nobody is to work on a queue now, whichever organization's.
    std::function<bool(std::string_view queue)> paused = [](std::string_view) { return false; };
};

class Workers {
public:
    // All of these outlive it. `redis` says where the queues are. Throws std::invalid_argument for a queue that there
    // is not.
    Workers(Loop& loop, redis::Client& client, redis::Options const& redis, Handlers const& handlers,
            Organizations organizations, WorkersOptions options);
    ~Workers();
    Workers(Workers const&) = delete;
    Workers& operator=(Workers const&) = delete;

    void start();
    // Returns when no handler runs any more; one that does not listen to its cancellation is waited for, without its
    // job.
    task<> stop(std::chrono::milliseconds grace);

    // Cancels a job that runs here; false when none does. From anywhere: `ask_to_cancel`.
    bool cancel(Member const& member, std::string_view job_id, std::string reason);

    [[nodiscard]] std::string const& process() const noexcept { return process_; }
    [[nodiscard]] std::size_t running() const noexcept { return runner_.running(); }
    [[nodiscard]] std::size_t idle() const noexcept;

private:
    struct LaneOfWork;
    void told_to_cancel(std::string_view message);

    Loop& loop_;
    std::string process_;
    bullmq::Runner runner_;
    TenantJobs jobs_;
    std::vector<std::unique_ptr<LaneOfWork>> lanes_;
    redis::Subscriber subscriber_;
    redis::Subscriber::Subscription cancellations_;
    bool watches_;
};

// Has whoever runs this job cancel it. Nobody may be running it: whoever asks has noted first that it is cancelled.
task<> ask_to_cancel(redis::Client& client, Member member, std::string job_id, std::string reason);

}  // namespace buildplan::queue::fair
