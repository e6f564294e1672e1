// What a pool does beside its slots: renews, looks again, looks after the dead.
#include <algorithm>
#include <random>

#include "core/random.hpp"
#include "queue/fair/pool.hpp"

namespace buildplan::queue::fair {
namespace {

using Clock = std::chrono::steady_clock;

// Processes that started together do not stay in step.
std::chrono::milliseconds about(std::chrono::milliseconds pause) {
    static thread_local std::minstd_rand dice(std::random_device{}());
    return std::chrono::milliseconds{
        std::uniform_int_distribution<std::int64_t>(pause.count() * 3 / 4, pause.count() * 5 / 4)(dice)};
}

}  // namespace

task<> Pool::renew() {
    for (;;) {
        co_await sleep_for(options_.turn_lasts / 3);
        std::vector<Renewal> renewals;
        for (auto const& held : held_) {
            auto const used = std::chrono::duration<double>(Clock::now() - held.begin).count();
            auto const beyond = std::max(used - held.turn->charged, 0.0);
            held.turn->charged += beyond;
            renewals.push_back({held.turn->number, held.turn->member, std::chrono::duration<double>(beyond)});
        }
        try {
            co_await index_.renew(std::move(renewals), options_.turn_lasts);
        } catch (redis::Failure const& e) {
            loop_.log().warning("turns not renewed", {{"error", e.what()}});
        }
    }
}

task<> Pool::poll_due() {
    constexpr std::size_t at_once = 200;
    for (;;) {
        auto pause = about(options_.poll);
        if (next_due_) {
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(*next_due_ - Clock::now());
            pause = std::clamp(left, std::chrono::milliseconds{1}, pause);
        }
        co_await sleep_for(pause);
        next_due_.reset();
        try {
            for (;;) {
                auto const due = co_await index_.due(at_once);
                counts_.due->add(due.signalled);
                if (due.next) next_due_ = Clock::now() + *due.next;
                if (due.signalled < at_once) break;
            }
        } catch (redis::Failure const&) {
            next_due_.reset();
        }
    }
}

task<> Pool::reap() {
    constexpr std::size_t at_once = 20;
    for (;;) {
        co_await sleep_for(about(options_.visits_apart / 2));
        try {
            for (bool more = true; more;) {
                auto const lost = co_await index_.reap(at_once, options_.visits_apart);
                counts_.expired->add(lost.size());
                for (auto const& each : lost) {
                    if (co_await jobs_.recover(each.member)) co_await index_.signal({each.member});
                }
                more = lost.size() == at_once;
            }
        } catch (redis::Failure const& e) {
            loop_.log().warning("expired turns not looked after", {{"error", e.what()}});
        }
    }
}

task<> Pool::announce() {
    for (;;) {
        try {
            co_await index_.announce(options_.process, options_.slots[SlotClass::enterprise], options_.turn_lasts);
        } catch (redis::Failure const&) {
        }
        co_await sleep_for(options_.turn_lasts / 3);
    }
}

}  // namespace buildplan::queue::fair
