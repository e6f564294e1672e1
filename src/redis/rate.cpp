#include "redis/rate.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace buildplan::redis {
namespace {

constexpr std::size_t most_known = 20'000;

Command increment(RateWindow const& window) { return Command("INCR", window.key); }
Command expiry(RateWindow const& window) { return Command("EXPIRE", window.key, window.length.count(), "NX"); }

}  // namespace

RateWindow RateWindow::at(Timestamp now, std::string_view organization, std::string_view endpoint,
                          std::chrono::seconds length) {
    auto const seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
    auto const number = seconds / length;
    return {.key = fmt::format("rate:{}:{}:{}", organization, endpoint, number),
            .length = length,
            .resets_in = length * (number + 1) - seconds};
}

task<RateCounter::Count> RateCounter::count(RateWindow window) {
    std::vector<Value> none;
    co_return co_await count(std::move(window), {}, none);
}

task<RateCounter::Count> RateCounter::count(RateWindow window, std::vector<Command> others,
                                            std::vector<Value>& replies) {
    replies.clear();
    if (!available()) co_return count_here(window);
    auto commands = std::move(others);
    commands.push_back(increment(window));
    commands.push_back(expiry(window));
    try {
        replies = co_await client_->pipeline(std::move(commands));
    } catch (Unavailable const&) {
        co_return count_here(window);
    }
    replies.pop_back();
    auto const counted = std::move(replies.back());
    replies.pop_back();
    if (counted.is_error()) co_return count_here(window);
    auto const calls = counted.as_integer();
    remember(window, calls);
    co_return Count{.calls = calls, .resets_in = window.resets_in};
}

task<std::vector<RateCounter::Count>> RateCounter::count(std::vector<RateWindow> windows) {
    std::vector<Value> replies;
    if (available()) {
        std::vector<Command> commands;
        commands.reserve(2 * windows.size());
        for (auto const& window : windows) {
            commands.push_back(increment(window));
            commands.push_back(expiry(window));
        }
        try {
            replies = co_await client_->pipeline(std::move(commands));
        } catch (Unavailable const&) {
            replies.clear();
        }
    }
    std::vector<Count> counts;
    counts.reserve(windows.size());
    for (std::size_t i = 0; i < windows.size(); ++i) {
        if (replies.empty() || replies[2 * i].is_error()) {
            counts.push_back(count_here(windows[i]));
        } else {
            auto const calls = replies[2 * i].as_integer();
            remember(windows[i], calls);
            counts.push_back({.calls = calls, .resets_in = windows[i].resets_in});
        }
    }
    co_return counts;
}

void RateCounter::take_back(RateWindow const& window) {
    auto const known = known_.find(window.key);
    if (available()) {
        if (known != known_.end() && known->second.calls > 0) --known->second.calls;
        // A window that ended meanwhile leaves nothing behind for good.
        client_->send(Command("DECR", window.key));
        client_->send(expiry(window));
    } else if (known != known_.end()) {
        known->second.calls = std::max<std::int64_t>(known->second.calls - beside_, 0);
    }
}

void RateCounter::forget(RateWindow const& window) {
    known_.erase(window.key);
    if (available()) client_->send(Command("DEL", window.key));
}

void RateCounter::remember(RateWindow const& window, std::int64_t calls) {
    if (known_.size() >= most_known) {
        auto const now = std::chrono::steady_clock::now();
        std::erase_if(known_, [now](auto const& each) { return each.second.until <= now; });
        if (known_.size() >= most_known) known_.clear();
    }
    known_[window.key] = {.calls = calls, .until = std::chrono::steady_clock::now() + window.resets_in};
}

RateCounter::Count RateCounter::count_here(RateWindow const& window) {
    auto const known = known_.find(window.key);
    auto const calls = (known == known_.end() ? 0 : known->second.calls) + beside_;
    remember(window, calls);
    return {.calls = calls, .resets_in = window.resets_in, .local = true};
}

}  // namespace buildplan::redis
