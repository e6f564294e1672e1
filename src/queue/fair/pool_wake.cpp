// Who sleeps in a pool, who wakes whom, and for whom a turn is cut short.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <set>

#include "queue/fair/pool.hpp"

namespace buildplan::queue::fair {

task<> Pool::wait_for_work(Slot& slot) {
    auto const& counts = counts_.slots[index_of(slot.of)];
    slot.idle = true;
    idle_[index_of(slot.of)].push_back(&slot);
    counts.idle->add(1);
    counts.busy->add(-1);
    for (auto& listener : std::exchange(wait_for_idle_, {})) listener(true);
    while (slot.idle) {
        slot.timer.expires_at(Timer::time_point::max());
        co_await slot.timer.async_wait(asio::as_tuple(use_task));
    }
    counts.idle->add(-1);
    counts.busy->add(1);
}

bool Pool::wake(SlotClass of) {
    auto& idle = idle_[index_of(of)];
    if (idle.empty()) return false;
    auto* const slot = idle.back();
    idle.pop_back();
    slot->idle = false;
    slot->timer.cancel();
    return true;
}

bool Pool::wake(Tier tier) {
    return std::ranges::any_of(classes_for(tier), [this](SlotClass of) { return wake(of); });
}

bool Pool::any_idle_for(Tier tier) const {
    return std::ranges::any_of(classes_for(tier), [this](SlotClass of) { return !idle_[index_of(of)].empty(); });
}

// Somebody found work: where there is more, one more looks. So one after the other wakes, and the first that finds
// nothing is the last.
void Pool::wake_another(SlotClass of, Turn const& turn, bool more) {
    if (!more && !turn.others_ready) return;
    if (wake(of) || !more || wake(turn.tier)) return;
    index_.hint(turn.tier, turn.member.queue);
}

// A turn of quick jobs goes on beyond its number of jobs, to spare the index, until somebody waits for whom that would
// be long. While many wait each of them waits for all the others anyway, and larger turns serve everybody faster.
bool Pool::few_wait(Tier tier) const {
    auto const waiting = crowds_[index_of(tier)].waiting;
    return waiting > 0 && waiting <= static_cast<std::int64_t>(options_.slots.sum());
}

// At most one question at a time, and one in a millisecond: what is known is known when the job is done.
void Pool::look_around(Tier tier) {
    auto& crowd = crowds_[index_of(tier)];
    auto const now = std::chrono::steady_clock::now();
    if (crowd.asking || now - crowd.asked < std::chrono::milliseconds{1}) return;
    crowd.asking = true;
    crowd.asked = now;
    loop_.spawn("queue crowd", count_those_who_wait(tier, working_.enter()));
}

task<> Pool::count_those_who_wait(Tier tier, Gate::Pass pass) {
    auto const held_by_us = std::move(pass);
    auto& crowd = crowds_[index_of(tier)];
    try {
        auto const ready = co_await index_.ready(tier);
        std::set<std::string> here;
        for (auto const& held : held_) {
            if (held.turn->tier == tier) here.insert(held.turn->member.to_string());
        }
        crowd.waiting = ready - static_cast<std::int64_t>(here.size());
    } catch (redis::Failure const&) {
        crowd.waiting = 0;
    }
    crowd.asking = false;
}

// Waits for tokens of one tier while a slot idles that may serve it. A process also looks without a token now and then:
// tokens can be lost with whoever took them.
task<> Pool::listen(Tier tier) {
    auto const lists = index_.wake_lists(tier);
    auto const blocking = client_.blocking(lists.front());
    for (;;) {
        while (!any_idle_for(tier)) {
            co_await completed<bool>([this](Completion<bool> done) {
                done.on_cancel([this] {
                    for (auto& each : std::exchange(wait_for_idle_, {})) each(true);
                });
                wait_for_idle_.push_back(std::move(done));
            });
        }
        redis::Command command("BLPOP");
        command.args(lists).arg(std::chrono::duration<double>(options_.doze).count());
        bool failed = false;
        try {
            auto const token = co_await blocking->command(std::move(command), options_.doze);
            if (wake(tier) || token.is_nil()) continue;
            auto const list = token[0].as_text();  // all are busy by now: somebody else's work
            index_.hint(tier, list.substr(list.rfind(':') + 1));
        } catch (redis::Failure const&) {
            failed = true;
        }
        if (failed) {
            wake(tier);
            co_await sleep_for(options_.doze / 4);
        }
    }
}

}  // namespace buildplan::queue::fair
