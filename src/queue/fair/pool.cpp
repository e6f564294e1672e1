#include "queue/fair/pool.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>

namespace buildplan::queue::fair {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

Pool::Pool(Loop& loop, redis::Client& client, Index& index, Jobs& jobs, PoolOptions options)
    : loop_(loop),
      client_(client),
      index_(index),
      jobs_(jobs),
      options_(std::move(options)),
      counts_(loop.metrics(), index.lane().name),
      upkeep_(loop) {
    for (std::size_t of = 0; of < slot_classes; ++of) {
        auto const which = static_cast<SlotClass>(of);
        for (std::size_t i = 0; i < options_.slots[which]; ++i) slots_.emplace_back(which, loop.executor());
        counts_.slots[of].busy->add(static_cast<double>(options_.slots[which]));
    }
}

namespace {

task<> pass_through(task<> work, Gate::Pass pass) {
    co_await std::move(work);
    auto const left = std::move(pass);
}

}  // namespace

void Pool::start() {
    for (auto& slot : slots_) loop_.spawn("queue slot", pass_through(work(slot), working_.enter()));
    for (auto const tier : options_.tiers) upkeep_.spawn("queue wake-up", listen(tier));
    upkeep_.spawn("turn renewal", renew());
    upkeep_.spawn("due poller", poll_due());
    upkeep_.spawn("turn reaper", reap());
    upkeep_.spawn("slots announced", announce());
}

task<> Pool::stop() {
    stopping_ = true;
    for (auto const of : {SlotClass::shared, SlotClass::pro, SlotClass::enterprise}) {
        while (wake(of)) {
        }
    }
    co_await working_.close();
    co_await upkeep_.stop();  // renewed until the last turn has ended
}

std::size_t Pool::idle() const noexcept { return idle_[0].size() + idle_[1].size() + idle_[2].size(); }

std::optional<Wish> Pool::wish_of(Slot const& slot) {
    if (stopping_) return std::nullopt;
    return Wish{.tiers = tiers_of(slot.of, options_.slots, options_.tiers, round_++),
                .nobody_idles = idle_[index_of(slot.of)].empty()};
}

task<> Pool::work(Slot& slot) {
    std::optional<Turn> turn;
    while (!stopping_ || turn) {
        bool failed = false;
        try {
            if (!turn) {
                auto const wish = wish_of(slot);
                turn = co_await index_.pick(*wish, options_.turn_lasts);
            }
            if (turn) {
                auto current = std::move(*turn);
                turn.reset();
                turn = co_await serve(slot, std::move(current));
                continue;
            }
        } catch (redis::Failure const& e) {
            failed = true;
            loop_.log().debug("no turn", {{"error", e.what()}});
        }
        if (stopping_) break;
        if (failed) {  // Redis is gone, or was for a moment
            co_await sleep_for(std::chrono::milliseconds{100});
        } else {
            co_await wait_for_work(slot);
        }
    }
}

// One turn; the next where there is one.
task<std::optional<Turn>> Pool::serve(Slot& slot, Turn turn) {
    Settlement end{.turn = std::move(turn)};
    if (stopping_) {  // picked just before
        co_await index_.settle(end, std::nullopt, options_.turn_lasts);
        co_return std::nullopt;
    }
    auto& of_tier = counts_.tier[index_of(end.turn.tier)];
    of_tier.turns->add();
    auto const begin = Clock::now();
    auto const held = held_.insert(held_.end(), {&end.turn, begin});
    std::optional<Standing> standing;
    try {
        standing = co_await work_through(slot, end.turn, end);
    } catch (std::exception const& e) {
        counts_.abandoned->add();
        loop_.log().warning("turn given up", {{"member", end.turn.member.to_string()}, {"error", e.what()}});
    }
    held_.erase(held);
    end.used = Clock::now() - begin;
    of_tier.service->add(end.used.count());
    of_tier.weighted_service->add(end.used.count() / end.turn.weight);
    of_tier.jobs->add(end.jobs);
    if (end.jobs == 0) counts_.empty_picks->add();
    if (standing) co_return co_await settle(slot, std::move(end), *standing);
    co_await sleep_for(std::chrono::milliseconds{100});
    co_return std::nullopt;
}

task<Standing> Pool::work_through(Slot& slot, Turn const& turn, Settlement& end) {
    auto const& quantum = row_of(turn.tier).quantum;
    auto& of_tier = counts_.tier[index_of(turn.tier)];
    auto const begin = Clock::now();
    auto took = co_await jobs_.take(turn);
    if (took.job && stopping_) co_await jobs_.give_back(std::move(took.job));
    if (took.job) wake_another(slot.of, turn, took.more);
    Clock::time_point job_began;
    Clock::duration in_jobs{0};  // without the way to Redis and back
    auto const more = [&] {
        auto const now = Clock::now();
        in_jobs += now - job_began;
        return !stopping_ && now - begin < quantum.longest && end.jobs < quantum.most &&
               (end.jobs < quantum.jobs || (in_jobs < quantum.shortest && !few_wait(turn.tier)));
    };
    while (took.job) {
        if (took.job->waited) of_tier.wait->observe(took.job->waited->count());
        ++end.jobs;
        if (end.jobs >= quantum.jobs) look_around(turn.tier);
        job_began = Clock::now();
        took.job = co_await jobs_.work(turn, std::move(took.job), more);
        if (took.job) of_tier.hand_overs->add();
    }
    co_return co_await jobs_.probe(turn.member);
}

task<std::optional<Turn>> Pool::settle(Slot& slot, Settlement end, Standing standing) {
    using Then = Settlement::Then;
    for (int tries = 0;; ++tries) {
        switch (standing.kind) {
            case Standing::Kind::ready:
                end.then = Then::ready;
                break;
            case Standing::Kind::empty:
                end.then = Then::empty;
                break;
            case Standing::Kind::maxed:
                end.look_again = options_.look_at_maxed;
                break;
            case Standing::Kind::paused:
                end.look_again = options_.look_at_paused;
                break;
            case Standing::Kind::due:
                end.look_again = std::max(std::chrono::ceil<std::chrono::milliseconds>(standing.when - now()),
                                          std::chrono::milliseconds{1});
                break;
        }
        bool const parks = standing.kind != Standing::Kind::ready && standing.kind != Standing::Kind::empty;
        if (parks) end.then = Then::later;
        if (tries == 3) end.then = Then::leave;  // whoever has the next turn finds out
        auto moved = co_await index_.settle(end, wish_of(slot), options_.turn_lasts);
        if (!moved.refused) {
            if (parks) {
                counts_.parked_as(standing.kind).add();
                auto const when = Clock::now() + end.look_again;
                if (!next_due_ || when < *next_due_) next_due_ = when;
            }
            co_return std::move(moved.next);
        }
        counts_.refused->add();
        end.turn.generation = std::move(moved.generation);
        standing = co_await jobs_.probe(end.turn.member);
    }
}

}  // namespace buildplan::queue::fair
