// What a Runner is made of. Private to this folder.
#pragma once

#include <unordered_set>

#include "queue/bullmq/runner.hpp"
#include "redis/signal.hpp"

namespace buildplan::queue::bullmq {

struct RunnerMetrics {
    RunnerMetrics(metrics::Registry& registry, std::string_view name);
    metrics::Counter &completed, &failed, &retried, &delayed, &handed_back, &lost;
    metrics::Gauge& running;
    metrics::Histogram& seconds;
};

struct Runner::State : std::enable_shared_from_this<Runner::State> {
    State(Loop& loop_, redis::Client& client_, Handler handler_, RunnerOptions options_)
        : loop(loop_),
          client(client_),
          handler(std::move(handler_)),
          options(std::move(options_)),
          counts(loop.metrics(), options.metrics_name),
          changed(loop.executor()) {}

    Loop& loop;
    redis::Client& client;
    Handler const handler;
    RunnerOptions const options;
    RunnerMetrics counts;
    redis::Signal changed;  // a run has begun or ended, or it stops
    std::unordered_set<Run*> runs;
    bool stopping = false, renewing = false;

    // How a handler ended: with a result, or by throwing this.
    struct Ended {
        Result result;
        std::optional<std::string> error;
        bool for_good = false;
    };

    task<Next> work(std::shared_ptr<Run> run, std::function<bool()> fetch_next);
    task<Ended> handle(Run& run);
    task<Next> finish(Run& run, Ended ended, std::function<bool()> fetch_next);
    // Sends what `make(fetch_next)` makes until it is answered or the lock has run out.
    template <class Make>
    task<Next> settle(Run& run, Make make, bool fetch_next);
    task<Next> fail(Run& run, Ended ended, bool fetch_next);
    [[nodiscard]] std::optional<Millis> wait_before_retry(Run const& run) const;
    task<> hand_back(Run& run);

    static task<> renew(std::shared_ptr<State> self);
    task<> renew_once(std::chrono::steady_clock::time_point now);
};

}  // namespace buildplan::queue::bullmq
