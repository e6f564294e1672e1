// Loop: the event loop of one thread, with what belongs to that thread alone: its metrics, its log, its background
// tasks. Shares nothing; another thread reaches it only by `post`.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "core/log.hpp"
#include "core/metrics.hpp"
#include "runtime/task.hpp"

namespace buildplan {

class Loop {
public:
    // `index` numbers the shards of a process from 0.
    Loop(unsigned index, Log const& log);
    Loop(Loop const&) = delete;
    Loop& operator=(Loop const&) = delete;

    [[nodiscard]] unsigned index() const noexcept { return index_; }
    [[nodiscard]] asio::io_context& io() noexcept { return io_; }
    [[nodiscard]] Executor executor() noexcept { return io_.get_executor(); }
    [[nodiscard]] metrics::Registry& metrics() noexcept { return metrics_; }
    [[nodiscard]] Log const& log() const noexcept { return log_; }

    // Starts a task of its own. One that ends by an exception is logged under its name; the program goes on.
    // The task's arguments must be values: nobody waits for it.
    void spawn(std::string_view name, task<> work);

    // From any thread: runs `work` on this loop's thread.
    template <class Work>
    void post(Work work) {
        asio::post(io_, std::move(work));
    }

    // Runs on the calling thread until `stop`, measuring how late the loop gets to a timer that is due.
    void run();
    void stop() { io_.stop(); }

    // The largest lag of the last second, in seconds. From any thread.
    [[nodiscard]] double lag() const noexcept { return lag_.load(std::memory_order_relaxed); }

private:
    task<> measure_lag();

    unsigned index_;
    asio::io_context io_{1};
    Log log_;
    metrics::Registry metrics_;
    std::atomic<double> lag_{0};
};

// Suspends the calling task. Throws boost::system::system_error (operation_aborted) when it is cancelled.
task<> sleep_for(std::chrono::steady_clock::duration duration);

}  // namespace buildplan
