#include "runtime/loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

namespace buildplan {

Loop::Loop(unsigned index, Log const& log) : index_(index), log_(log.with({{"shard", index}})) {}

void Loop::spawn(std::string_view name, task<> work) {
    asio::co_spawn(io_, std::move(work), [this, name = std::string(name)](std::exception_ptr const& error) {
        if (!error) return;
        try {
            std::rethrow_exception(error);
        } catch (boost::system::system_error const& e) {
            if (e.code() != asio::error::operation_aborted)
                log_.error("task failed", {{"task", name}, {"error", e.what()}});
        } catch (std::exception const& e) {
            log_.error("task failed", {{"task", name}, {"error", e.what()}});
        }
    });
}

void Loop::run() {
    spawn("loop lag", measure_lag());
    io_.run();
}

task<> Loop::measure_lag() {
    constexpr auto period = std::chrono::milliseconds{50};
    auto& histogram =
        metrics_.histogram("buildplan_loop_lag_seconds", "How late an event loop gets to a timer that is due.");
    Timer timer(io_.get_executor());
    double worst = 0;
    for (unsigned tick = 1;; ++tick) {
        auto const due = std::chrono::steady_clock::now() + period;
        timer.expires_at(due);
        co_await timer.async_wait(use_task);
        auto const late = std::chrono::duration<double>(std::chrono::steady_clock::now() - due).count();
        histogram.observe(late);
        worst = std::max(worst, late);
        if (tick % 20 == 0) worst = late;
        lag_.store(worst, std::memory_order_relaxed);
    }
}

task<> sleep_for(std::chrono::steady_clock::duration duration) {
    auto const executor = co_await asio::this_coro::executor;
    Timer timer(executor, duration);
    co_await timer.async_wait(use_task);
}

}  // namespace buildplan
