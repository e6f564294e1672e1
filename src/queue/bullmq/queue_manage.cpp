// What an operator does with a whole queue.
#include <algorithm>
#include <stdexcept>

#include "queue/bullmq/queue.hpp"
#include "queue/bullmq/scripts.hpp"

namespace buildplan::queue::bullmq {

using enum QueueKeys::Type;

namespace {

// Scripts that go through many jobs take longer than others.
constexpr Millis patience{10'000};

redis::Command pause_command(QueueKeys const& keys, bool pause, bool tell) {
    static auto const script = keyed<7>("pause");
    return script({keys[pause ? wait : paused], keys[pause ? paused : wait], keys[meta], keys[prioritized],
                   keys[events], keys[delayed], keys[marker]},
                  pause ? "paused" : "resumed", tell ? 1 : 0)
        .within(patience);
}

}  // namespace

task<> Queue::pause() {
    auto command = pause_command(keys_, true, true);
    co_await client_->command(std::move(command));
}

// Older BullMQs moved jobs into a list of their own; they come back in portions.
task<> Queue::resume() {
    for (bool first = true;; first = false) {
        auto command = pause_command(keys_, false, first);
        auto const left = co_await client_->command(std::move(command));
        if (left.is_nil() || left.as_integer() <= 0) co_return;
    }
}

task<bool> Queue::is_paused() {
    auto const reply = co_await client_->command("HEXISTS", keys_[meta], "paused");
    co_return reply.as_integer() == 1;
}

task<> Queue::drain(bool delayed_too) {
    static auto const script = keyed<5>("drain");
    auto command = script({keys_[wait], keys_[paused], keys_[delayed], keys_[prioritized], keys_[repeat]}, keys_[base],
                          delayed_too ? 1 : 0);
    command.within(patience);
    co_await client_->command(std::move(command));
}

task<std::vector<std::string>> Queue::clean(State state, Millis older_than, std::int64_t most) {
    static auto const script = keyed<3>("cleanJobsInSet");
    constexpr std::int64_t most_at_once = 10'000;
    auto const before = millis_of(moment_now() - older_than);
    auto const set = state == State::waiting ? "wait" : std::string(to_string(state));
    std::vector<std::string> removed;
    auto const batch = most > 0 ? std::min(most, most_at_once) : most_at_once;
    while (most <= 0 || static_cast<std::int64_t>(removed.size()) < most) {
        auto command = script({keys_.job(set), keys_[events], keys_[repeat]}, keys_[base], before, batch, set);
        command.within(patience);
        auto reply = co_await client_->command(std::move(command));
        auto ids = read_ids(std::move(reply));
        auto const count = static_cast<std::int64_t>(ids.size());
        std::ranges::move(ids, std::back_inserter(removed));
        if (count < batch) break;
    }
    co_return removed;
}

task<> Queue::move_all(std::string_view from, std::int64_t batch, double timestamp) {
    static auto const script = keyed<8>("moveJobsToWait");
    for (;;) {
        auto command = script({keys_[base], keys_[events], keys_.job(from), keys_[wait], keys_[paused], keys_[meta],
                               keys_[active], keys_[marker]},
                              batch, timestamp, from);
        command.within(patience);
        auto const more = co_await client_->command(std::move(command));
        if (more.as_integer() == 0) co_return;
    }
}

task<> Queue::retry_all(State from, std::optional<Moment> finished_before, std::int64_t batch) {
    auto const before = static_cast<double>(millis_of(finished_before.value_or(moment_now())));
    return move_all(to_string(from), batch, before);
}

task<> Queue::promote_all(std::int64_t batch) { return move_all("delayed", batch, std::numeric_limits<double>::max()); }

task<> Queue::obliterate(bool force, std::int64_t batch) {
    static auto const script = keyed<2>("obliterate");
    co_await pause();
    for (;;) {
        auto command = script({keys_[meta], keys_[base]}, batch, force ? "force" : "");
        command.within(patience);
        auto const more = co_await client_->command(std::move(command));
        if (more.as_integer() == -2) throw std::runtime_error("jobs of the queue are being worked on");
        if (more.as_integer() < 0) throw std::runtime_error("somebody resumed the queue meanwhile");
        if (more.as_integer() == 0) co_return;
    }
}

task<> Queue::trim_events(std::int64_t most) { co_await client_->command("XTRIM", keys_[events], "MAXLEN", "~", most); }

task<> Queue::set_concurrency(std::optional<std::int64_t> most) {
    auto command = most ? redis::Command("HSET", keys_[meta], "concurrency", *most)
                        : redis::Command("HDEL", keys_[meta], "concurrency");
    co_await client_->command(std::move(command));
}

task<std::optional<std::int64_t>> Queue::concurrency() {
    auto const reply = co_await client_->command("HGET", keys_[meta], "concurrency");
    co_return reply.is_nil() ? std::nullopt : std::optional(reply.as_integer());
}

task<bool> Queue::is_maxed() {
    static auto const script = keyed<2>("isMaxed");
    auto command = script({keys_[meta], keys_[active]});
    auto const reply = co_await client_->command(std::move(command));
    co_return !reply.is_nil() && reply.as_integer() == 1;
}

task<> Queue::set_rate_limit(std::optional<RateLimit> limit) {
    auto command = limit ? redis::Command("HSET", keys_[meta], "max", limit->max, "duration", limit->duration.count())
                         : redis::Command("HDEL", keys_[meta], "max", "duration");
    co_await client_->command(std::move(command));
}

task<> Queue::limit_for(Millis duration) {
    constexpr std::int64_t more_than_any_max = 9'007'199'254'740'991;
    co_await client_->command("SET", keys_[limiter], more_than_any_max, "PX", duration.count());
}

task<Millis> Queue::limited_for(std::optional<std::int64_t> max) {
    static auto const script = keyed<2>("getRateLimitTtl");
    auto command = script({keys_[limiter], keys_[meta]}, max.value_or(0));
    auto const reply = co_await client_->command(std::move(command));
    co_return Millis{reply.as_integer()};
}

task<> Queue::remove_limit() { co_await client_->command("DEL", keys_[limiter]); }

}  // namespace buildplan::queue::bullmq
