// Worker: takes the jobs of one queue and has a Runner carry them out, `concurrency` at a time on one loop. It is woken
// by the queue's marker over one connection of its own, as BullMQ's workers are, and shares the work with any of them.
// For thousands of queues this is one connection too many each: there a scheduler takes the jobs.
#pragma once

#include <memory>
#include <string>

#include "queue/bullmq/runner.hpp"

namespace buildplan::queue::bullmq {

struct WorkerOptions {
    unsigned concurrency = 1;
    std::string name = {};  // stored with the jobs it takes
    Millis lock_duration{30'000};
    Stalled stalled = {};
    bool checks_stalled = true;
    Millis idle{5'000};  // looks for jobs even when nobody has told of one
    std::optional<RateLimit> limit = {};
    RunnerOptions runner = {};
};

class Worker {
public:
    // `loop` and `client` outlive it.
    Worker(Loop& loop, redis::Client& client, QueueKeys keys, Handler handler, WorkerOptions options = {});
    ~Worker();
    Worker(Worker const&) = delete;
    Worker& operator=(Worker const&) = delete;

    void start();
    // This worker alone takes no more jobs; what runs goes on.
    void pause();
    void resume();
    [[nodiscard]] bool paused() const noexcept;
    // Takes no more, waits for what runs for at most so long, and hands the rest back to the queue at once.
    task<> stop(Millis grace);

    bool cancel(std::string_view job_id, std::string reason, AfterCancel after);
    [[nodiscard]] std::size_t running() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace buildplan::queue::bullmq
