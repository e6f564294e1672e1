// Workforce: a process that works on the product's jobs: fair workers over the queues of all organizations, a performer
// behind them that knows handlers and ledger, and an eye on which queues are paused. Any number of processes have one.
#pragma once

#include <set>
#include <string>

#include "queue/fair/background.hpp"
#include "queue/fair/workers.hpp"
#include "queue/jobs/performer.hpp"

namespace buildplan::queue::jobs {

struct WorkforceOptions {
    std::chrono::milliseconds look_at_pauses{1000};
    fair::WorkersOptions workers = {};
};

class Workforce {
public:
    // All outlive it; `client` and `redis` are of the queue's Redis.
    Workforce(Loop& loop, redis::Client& client, redis::Options const& redis, postgres::SystemPool& system,
              Performer& performer, WorkforceOptions options = {});

    void start();
    // Takes nothing more, lets what runs go on for at most so long, and hands the rest back to the queue at once.
    task<> stop(std::chrono::milliseconds grace);

    [[nodiscard]] fair::Workers& workers() noexcept { return workers_; }

private:
    task<> watch_pauses(std::chrono::milliseconds every);

    Loop& loop_;
    postgres::SystemPool& system_;
    std::chrono::milliseconds look_at_pauses_;
    std::set<std::string, std::less<>> paused_;
    fair::Handlers handlers_;
    fair::Workers workers_;
    fair::Background upkeep_;
};

}  // namespace buildplan::queue::jobs
