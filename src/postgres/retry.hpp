// Running a whole transaction again when PostgreSQL gave it up for the sake of another one (serialization failure,
// deadlock): nothing was done then, and a second try usually succeeds. Everything else goes through at once.
//
//   auto const made = co_await with_retries([&] { return create_request(shard, principal, draft); });
//
// `make` is called anew for each attempt and makes the task: it calls a coroutine function, it is not one itself. The
// task begins its own transaction. After the last attempt the caller gets 503 `busy`.
#pragma once

#include <chrono>
#include <type_traits>
#include <utility>

#include "postgres/error.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"

namespace buildplan::postgres {

struct RetryPolicy {
    unsigned attempts = 5;
    std::chrono::milliseconds first_pause{2};  // doubles, and is drawn at random between half of it and all of it
};

namespace detail {
// The pause before attempt number `attempt` (from 1 up); throws the Problem when there is none left.
std::chrono::steady_clock::duration pause_before_retry(RetryPolicy const& policy, unsigned attempt);
}  // namespace detail

template <class Make>
auto with_retries(Make make, RetryPolicy policy = {}) -> std::invoke_result_t<Make&> {
    for (unsigned attempt = 1;; ++attempt) {
        try {
            co_return co_await make();
        } catch (Error const& error) {
            if (!error.retryable()) throw;
        }
        auto const pause = detail::pause_before_retry(policy, attempt);
        co_await sleep_for(pause);
    }
}

}  // namespace buildplan::postgres
