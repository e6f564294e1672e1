// Keeps the locks of what runs.
#include <map>

#include "queue/bullmq/runner_state.hpp"

namespace buildplan::queue::bullmq {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

// Looks four times in the time of the shortest lock, and extends those that have used up a quarter of theirs, so that
// two rounds may fail.
task<> Runner::State::renew(std::shared_ptr<State> self) {
    constexpr auto at_least = std::chrono::milliseconds{5};
    while (!self->stopping || !self->runs.empty()) {
        Millis shortest{30'000};
        for (auto const* run : self->runs) shortest = std::min(shortest, run->claim_.lock_duration);
        auto const until = Clock::now() + std::max<Clock::duration>(shortest / 4, at_least);
        co_await self->changed.wait(until);
        while (Clock::now() < until && !self->runs.empty()) {
            // Woken because something changed: sleep on, unless what came has a shorter lock.
            bool const sooner =
                std::ranges::any_of(self->runs, [&](Run const* run) { return run->claim_.lock_duration < shortest; });
            if (sooner) break;
            co_await self->changed.wait(until);
        }
        if (self->runs.empty()) break;
        co_await self->renew_once(Clock::now());
    }
    self->renewing = false;
}

task<> Runner::State::renew_once(Clock::time_point now) {
    struct Group {
        std::shared_ptr<QueueKeys const> keys;
        Millis duration{0};
        std::vector<std::string> ids, tokens;
    };
    std::map<std::pair<std::string_view, std::int64_t>, Group> groups;
    for (auto* const run : runs) {
        auto const duration = run->claim_.lock_duration;
        if (run->lost_ || run->handed_back_ || run->locked_ + duration / 4 > now) continue;
        auto& group = groups[{(*run->keys_)[QueueKeys::base], duration.count()}];
        group.keys = run->keys_;
        group.duration = duration;
        group.ids.push_back(run->job_.id);
        group.tokens.push_back(run->claim_.token);
    }
    if (groups.empty()) co_return;
    std::vector<redis::Command> commands;
    for (auto const& [which, group] : groups) {
        std::vector<Lock> locks;
        for (std::size_t i = 0; i < group.ids.size(); ++i)
            locks.push_back({.job_id = group.ids[i], .token = group.tokens[i]});
        commands.push_back(extend_locks_command(*group.keys, locks, group.duration));
    }
    std::vector<redis::Value> replies;
    try {
        replies = co_await client.pipeline(std::move(commands));
    } catch (redis::Failure const& e) {
        loop.log().warning("locks of jobs were not extended", {{"why", e.what()}});
        co_return;
    }
    std::size_t at = 0;
    for (auto const& [which, group] : groups) {
        auto& reply = replies.at(at++);
        if (reply.is_error()) continue;
        auto const lost = read_ids(std::move(reply));
        std::vector<Run*> const now_running(runs.begin(), runs.end());
        for (auto* const run : now_running) {
            if (!runs.contains(run) || (*run->keys_)[QueueKeys::base] != (*group.keys)[QueueKeys::base]) continue;
            auto const mine = std::ranges::find(group.ids, run->job_.id);
            if (mine == group.ids.end() || group.tokens[std::size_t(mine - group.ids.begin())] != run->claim_.token)
                continue;
            if (std::ranges::find(lost, run->job_.id) == lost.end()) {
                run->locked_ = now;
            } else if (run->in_handler_) {
                run->lost_ = true;
                loop.log().warning("the lock of a job is lost", {{"job", run->job_.id}});
                run->cancel("the lock is lost", AfterCancel::retry);
            }
        }
    }
}

}  // namespace buildplan::queue::bullmq
