// Signal: coroutines of one loop wait for an event, each at most so long, and wake() wakes them all. They look again
// then, in the next turn of the loop. Its owner outlives the waits.
#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <chrono>
#include <vector>

#include "runtime/task.hpp"

namespace buildplan::redis {

class Signal {
public:
    explicit Signal(Executor executor) : executor_(std::move(executor)) {}

    task<> wait(std::chrono::steady_clock::time_point until) {
        Waiter const waiter{*this, Timer(executor_, until)};
        waiters_.push_back(&waiter.timer);
        co_await waiter.timer.async_wait(asio::as_tuple(use_task));
    }
    void wake() {
        for (auto* const timer : waiters_) timer->cancel();
    }

private:
    struct Waiter {
        ~Waiter() { std::erase(signal.waiters_, &timer); }
        Signal& signal;
        mutable Timer timer;
    };
    Executor executor_;
    std::vector<Timer*> waiters_;
};

}  // namespace buildplan::redis
