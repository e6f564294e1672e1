// Housekeeping: what has to be done now and then, by one shard of each process that works: rows whose time is over are
// deleted, signing keys that are old get successors. Any number of processes may do it; each piece is harmless to
// repeat and to lose.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <chrono>

#include "core/settings.hpp"
#include "postgres/pool.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::commands {

class Housekeeping {
public:
    // All outlive it.
    Housekeeping(Loop& loop, postgres::SystemPool& system, Settings const& settings)
        : loop_(loop), system_(system), settings_(settings) {}

    void start(std::chrono::steady_clock::duration period);
    // Interrupts what is going on and returns when it has ended.
    task<> stop();

private:
    task<> run(Gate::Pass pass, std::chrono::steady_clock::duration period);
    task<> round();
    task<> sweep();
    task<> renew_keys();

    Loop& loop_;
    postgres::SystemPool& system_;
    Settings const& settings_;
    Gate gate_;
    asio::cancellation_signal cancel_;
};

}  // namespace buildplan::commands
