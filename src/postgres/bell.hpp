// Bell: tells other processes, by NOTIFY, that there is something new for them; a Listener hears it. NOTIFY inside the
// transaction that writes would make all commits of the server wait for each other (it holds one lock from before the
// commit until it is on disk), so each shard rings afterwards, in a transaction of its own, once for all that was
// committed within 10 ms. A ring may be lost (the process dies before it): whoever listens looks by itself now and
// then.
#pragma once

#include <chrono>
#include <string>

#include "core/metrics.hpp"
#include "postgres/pool.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::postgres {

class Bell {
public:
    static constexpr std::chrono::milliseconds quiet{10};  // between two rings

    // Both outlive it.
    Bell(Loop& loop, SystemPool& system, std::string channel);

    // Never waits and never fails: at once when it has been quiet, else when the quiet is over.
    void ring();
    // What was rung for is told, or found to be impossible, when this returns. Before the pool closes.
    task<> close();

private:
    using Clock = std::chrono::steady_clock;
    static task<> tell(Bell& bell, Gate::Pass pass);

    Loop& loop_;
    SystemPool& system_;
    std::string channel_;
    Clock::time_point last_{};
    bool telling_ = false, again_ = false;
    Gate gate_;
    metrics::Counter& rung_;
};

}  // namespace buildplan::postgres
