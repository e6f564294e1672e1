#include <gtest/gtest.h>

#include <future>

#include "runtime/gate.hpp"
#include "runtime/offload.hpp"
#include "runtime/shards.hpp"

namespace buildplan {
namespace {

// Runs one task to its end on a loop of its own.
template <class Make>
void run(Make make) {
    Loop loop(0, Log{});
    std::exception_ptr failure;
    asio::co_spawn(loop.io(), make(loop), [&](std::exception_ptr error) {
        failure = std::move(error);
        loop.stop();
    });
    loop.run();
    if (failure) std::rethrow_exception(failure);
}

task<> leave_later(Gate::Pass pass, bool& left) {
    co_await sleep_for(std::chrono::milliseconds{5});
    left = true;
    auto const dropped = std::move(pass);
}

task<> close_while_somebody_is_inside(Loop& loop) {
    Gate gate;
    bool left = false;
    auto pass = gate.enter();
    loop.spawn("visitor", leave_later(std::move(pass), left));
    co_await gate.close();
    EXPECT_TRUE(left);
    auto const refused = gate.enter();
    EXPECT_FALSE(refused);
}

TEST(Gate, CloseWaitsForThoseInsideAndRefusesOthers) { run(close_while_somebody_is_inside); }

task<> offloaded_work(Loop&) {
    Offload offload(1, 8);
    auto const here = std::this_thread::get_id();
    auto const there = co_await offload.run([] { return std::this_thread::get_id(); });
    EXPECT_NE(here, there);
    EXPECT_EQ(here, std::this_thread::get_id());
    bool caught = false;
    try {
        co_await offload.run([] { throw std::runtime_error("no"); });
    } catch (std::runtime_error const& e) {
        caught = std::string_view(e.what()) == "no";
    }
    EXPECT_TRUE(caught);
}

TEST(Offload, RunsElsewhereAndComesBack) { run(offloaded_work); }

task<> overfull(Loop& loop) {
    Offload offload(1, 1);
    std::promise<void> release;
    std::shared_future<void> const released = release.get_future().share();
    unsigned finished = 0;
    for (int i = 0; i < 2; ++i) {  // one that runs, one that waits
        asio::co_spawn(loop.io(), offload.run([released] { released.wait(); }),
                       [&](std::exception_ptr) { ++finished; });
        while (offload.queued() == 0 && i == 1) co_await sleep_for(std::chrono::milliseconds{1});
        co_await sleep_for(std::chrono::milliseconds{5});
    }
    int status = 0;
    try {
        co_await offload.run([] {});
    } catch (Problem const& problem) {
        status = problem.status;
    }
    EXPECT_EQ(status, 503);
    release.set_value();
    while (finished < 2) co_await sleep_for(std::chrono::milliseconds{1});
}

TEST(Offload, RefusesBeyondItsQueue) { run(overfull); }

task<> wait_for_ever(bool& cancelled, Completion<int>& kept) {
    co_await completed<int>([&](Completion<int> done) {
        kept = std::move(done);
        kept.on_cancel([&] {
            cancelled = true;
            kept.fail(std::make_exception_ptr(std::runtime_error("cancelled")));
        });
    });
}

TEST(Completion, CancellationReachesTheOneThatWouldComplete) {
    Loop loop(0, Log{});
    bool cancelled = false;
    Completion<int> kept;
    asio::cancellation_signal signal;
    std::exception_ptr failure;
    asio::co_spawn(loop.io(), wait_for_ever(cancelled, kept),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) {
                       failure = std::move(e);
                       loop.stop();
                   }));
    loop.post([&] { signal.emit(asio::cancellation_type::all); });
    loop.run();
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(failure);
}

TEST(Shards, EachLoopRunsOnItsOwnThread) {
    Shards shards(3, Log{});
    shards.start();
    std::mutex mutex;
    std::vector<std::thread::id> threads;
    shards.on_each([&](Loop&) -> task<> {
        std::lock_guard const lock(mutex);
        threads.push_back(std::this_thread::get_id());
        co_return;
    });
    std::ranges::sort(threads);
    EXPECT_EQ(std::ranges::unique(threads).size(), 0u);
    EXPECT_EQ(threads.size(), 3u);
}

task<> block_the_loop(Loop& loop) {
    co_await sleep_for(std::chrono::milliseconds{60});
    std::this_thread::sleep_for(std::chrono::milliseconds{120});
    co_await sleep_for(std::chrono::milliseconds{10});
    EXPECT_GT(loop.lag(), 0.05);
}

TEST(Loop, LagShowsABlockingCall) { run(block_the_loop); }

}  // namespace
}  // namespace buildplan
