// Pool: the slots of one process that work on one lane, each taking turns from the index: pick, work up to the quantum,
// probe, settle. Any number of processes do so side by side and may die at any instruction; a turn that nobody renews
// is looked after by the others. Also does the upkeep that needs no leader: renews what it holds, looks again at what
// is due, visits turns that expired.
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "queue/fair/background.hpp"
#include "queue/fair/index.hpp"
#include "queue/fair/jobs.hpp"
#include "queue/fair/pool_metrics.hpp"
#include "queue/fair/slots.hpp"

namespace buildplan::queue::fair {

struct PoolOptions {
    std::string process;  // unique to it
    SlotCounts slots;
    std::vector<Tier> tiers{Tier::free, Tier::pro, Tier::enterprise};
    // A turn that is not renewed for so long is taken for dead. Not shorter than the locks of jobs.
    std::chrono::milliseconds turn_lasts{30'000};
    std::chrono::milliseconds visits_apart{5'000};
    std::chrono::milliseconds look_at_maxed{1'000}, look_at_paused{15'000};
    std::chrono::milliseconds poll{250};    // at most so late is what is due
    std::chrono::milliseconds doze{1'000};  // so often an idle process looks without having been woken
};

class Pool {
public:
    // All of these outlive it.
    Pool(Loop& loop, redis::Client& client, Index& index, Jobs& jobs, PoolOptions options);
    Pool(Pool const&) = delete;
    Pool& operator=(Pool const&) = delete;

    void start();
    // No more turns; returns when those in hand have ended. A slot ends its turn with the job that it has.
    task<> stop();

    [[nodiscard]] std::size_t idle() const noexcept;
    [[nodiscard]] bool stopping() const noexcept { return stopping_; }

private:
    struct Slot {
        Slot(SlotClass of_, Executor const& executor) : of(of_), timer(executor) {}
        SlotClass of;
        Timer timer;
        bool idle = false;
    };
    struct Held {  // a turn in our hands
        Turn* turn;
        std::chrono::steady_clock::time_point begin;
    };

    // Who is ready and has no turn here, as it was a moment ago.
    struct Crowd {
        std::chrono::steady_clock::time_point asked;
        bool asking = false;
        std::int64_t waiting = 0;
    };

    task<> work(Slot& slot);
    task<std::optional<Turn>> serve(Slot& slot, Turn turn);
    task<Standing> work_through(Slot& slot, Turn const& turn, Settlement& end);
    task<std::optional<Turn>> settle(Slot& slot, Settlement end, Standing standing);
    [[nodiscard]] std::optional<Wish> wish_of(Slot const& slot);
    task<> wait_for_work(Slot& slot);
    void wake_another(SlotClass of, Turn const& turn, bool more);
    bool wake(SlotClass of);
    bool wake(Tier tier);
    [[nodiscard]] bool any_idle_for(Tier tier) const;

    void look_around(Tier tier);
    task<> count_those_who_wait(Tier tier, Gate::Pass pass);
    [[nodiscard]] bool few_wait(Tier tier) const;

    task<> listen(Tier tier);
    task<> renew();
    task<> poll_due();
    task<> reap();
    task<> announce();

    Loop& loop_;
    redis::Client& client_;
    Index& index_;
    Jobs& jobs_;
    PoolOptions options_;
    PoolMetrics counts_;
    Background upkeep_;
    Gate working_;
    std::deque<Slot> slots_;
    std::array<std::vector<Slot*>, slot_classes> idle_;
    std::list<Held> held_;
    std::array<Crowd, tiers.size()> crowds_;
    std::vector<Completion<bool>> wait_for_idle_;  // listeners while every slot is busy
    std::optional<std::chrono::steady_clock::time_point> next_due_;
    std::size_t round_ = 0;
    bool stopping_ = false;
};

}  // namespace buildplan::queue::fair
