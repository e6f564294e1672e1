// Gauges: depth and lag of all queues in this process's metrics, measured now and then. Every process that relays
// measures the same, so whoever adds processes up takes the maximum.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <map>
#include <string>

#include "core/metrics.hpp"
#include "features/queues/types.hpp"
#include "postgres/pool.hpp"
#include "redis/client.hpp"
#include "runtime/gate.hpp"

namespace buildplan::queues {

class Gauges {
public:
    // All outlive it.
    Gauges(Loop& loop, postgres::SystemPool& system, redis::Client& redis,
           std::chrono::milliseconds every = std::chrono::seconds{10});

    void start();
    task<> stop();
    // Once.
    task<> measure();

private:
    struct Of {
        metrics::Gauge *waiting, *active, *delayed, *owed, *dead, *lag;
    };
    task<> run(Gate::Pass pass);
    Of& of(std::string const& queue, std::string const& tier);

    Loop& loop_;
    postgres::SystemPool& system_;
    redis::Client& redis_;
    std::chrono::milliseconds every_;
    std::map<std::pair<std::string, std::string>, Of> gauges_;
    metrics::Gauge &events_, &events_lag_;
    Gate gate_;
    asio::cancellation_signal cancel_;
};

}  // namespace buildplan::queues
