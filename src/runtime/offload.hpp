// Offload: a few threads for work that burns CPU or blocks (password hashes, diffs, name look-ups), so that no shard
// does. The queue is bounded: beyond it the caller gets a 503 at once instead of a wait without end.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/problem.hpp"
#include "runtime/completion.hpp"
#include "runtime/task.hpp"

namespace buildplan {

class Offload {
public:
    Offload(unsigned threads, std::size_t max_queued);
    ~Offload();  // finishes what is running, drops what is queued; no loop may wait any more
    Offload(Offload const&) = delete;
    Offload& operator=(Offload const&) = delete;

    // Runs `work()` on one of the threads and resumes the caller on its own loop with the result or the exception.
    // Throws Problem 503 when the queue is full. Work that has begun is never interrupted.
    template <class Work, class Result = std::invoke_result_t<Work&>>
    task<Result> run(Work work) {
        using Value = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
        auto const executor = co_await asio::this_coro::executor;
        auto const start = [this, executor, &work](Completion<Value> done) {
            // The completion may be touched on its loop alone, so it travels in a shared cell.
            auto cell = std::make_shared<Completion<Value>>(std::move(done));
            bool const queued = push([cell, work = std::move(work), executor]() mutable {
                std::exception_ptr error;
                std::optional<Value> value;
                try {
                    if constexpr (std::is_void_v<Result>) {
                        work();
                        value.emplace();
                    } else {
                        value.emplace(work());
                    }
                } catch (...) {
                    error = std::current_exception();
                }
                asio::post(executor,
                           [cell = std::move(cell), error = std::move(error), value = std::move(value)]() mutable {
                               if (error) {
                                   cell->fail(std::move(error));
                               } else {
                                   (*cell)(std::move(*value));
                               }
                           });
            });
            if (!queued) {
                asio::post(executor, [cell] {
                    cell->fail(
                        std::make_exception_ptr(problems::unavailable("Too much is going on; try again shortly.")));
                });
            }
        };
        if constexpr (std::is_void_v<Result>) {
            co_await completed<Value>(start);
        } else {
            co_return co_await completed<Value>(start);
        }
    }

    [[nodiscard]] std::size_t queued() const;

private:
    bool push(std::move_only_function<void()> job);
    void serve();

    std::size_t max_queued_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::move_only_function<void()>> jobs_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace buildplan
