// How the cache learns that something has changed, and how it tells.
#include <boost/system/system_error.hpp>

#include "redis/cache_state.hpp"
#include "redis/errors.hpp"

namespace buildplan::redis {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_owed = 10'000;
constexpr auto pay_pause = std::chrono::milliseconds{100};

}  // namespace

task<> Cache::invalidate(std::string key) {
    std::vector<std::string> keys;
    keys.push_back(std::move(key));
    co_await invalidate(std::move(keys));
}

// Owed first and paid then: if anything comes between, a lost connection or a caller that leaves, the debt stands.
task<> Cache::invalidate(std::vector<std::string> keys) {
    auto const state = state_;
    State::Owed mine;
    for (auto& key : keys) {
        key.insert(0, state->prefix);
        state->forget(key);
        state->owe(key);
        mine[key] = state->invalidations;
    }
    bool told = false;
    try {
        if (state->client.available()) told = co_await state->tell(std::move(mine));
    } catch (boost::system::system_error const&) {  // the caller was cancelled
        state->pay_later();
        throw;
    }
    if (!told) state->pay_later();
}

void Cache::State::owe(std::string const& key) {
    invalidated.add();
    owed[key] = ++invalidations;
    if (owed.size() > most_owed) {
        // By then all that Redis holds has expired.
        auto longest = std::chrono::milliseconds{0};
        for (auto const& family : families)
            longest = std::max({longest, family.options.ttl, family.options.absent_ttl});
        distrust_until = Clock::now() + longest;
        owed.clear();
    }
    owed_count.set(static_cast<double>(owed.size()));
}

task<bool> Cache::State::tell(Owed keys) {
    std::vector<Command> commands;
    std::string message = self_id;
    for (auto const& [key, number] : keys) {
        commands.push_back(Command("DEL", key).idempotent());
        message += '\n';
        message += key;
    }
    commands.push_back(Command("PUBLISH", options.channel, message).idempotent());
    try {
        auto const replies = co_await client.pipeline(std::move(commands));
        for (auto const& reply : replies) {
            if (reply.is_error()) throw ReplyError(reply);
        }
    } catch (Unavailable const&) {
        co_return false;
    } catch (Failure const& e) {
        loop.log().warning("the cache cannot be invalidated", {{"error", e.what()}});
        co_return false;
    }
    for (auto const& [key, number] : keys) {
        auto const debt = owed.find(key);
        if (debt != owed.end() && debt->second == number) owed.erase(debt);
    }
    owed_count.set(static_cast<double>(owed.size()));
    co_return true;
}

void Cache::State::pay_later() {
    if (owed.empty() || closed || std::exchange(paying, true)) return;
    loop.spawn("cache invalidations", pay(shared_from_this()));
}

// Until nothing is owed any more; in between this shard does not read those keys in Redis.
task<> Cache::State::pay(std::shared_ptr<State> self) {
    while (!self->closed && !self->owed.empty()) {
        if (self->client.available()) {
            Owed some;
            for (auto const& debt : self->owed) {
                some.insert(debt);
                if (some.size() == 500) break;
            }
            if (co_await self->tell(std::move(some))) continue;
        }
        co_await sleep_for(pay_pause);
    }
    self->paying = false;
}

void Cache::State::forget(std::string const& key) {
    copies.erase(key);
    auto const found = loads.find(key);
    if (found == loads.end()) return;
    found->second->stale = true;  // those who asked before get what it brings, those who ask from now on another
    loads.erase(found);
}

void Cache::State::forget_all() {
    copies.clear();
    for (auto const& [key, load] : loads) load->stale = true;
    loads.clear();
}

void Cache::State::heard(std::string_view message) {
    auto line = message.find('\n');
    if (message.substr(0, line) == self_id) return;  // our own: done long ago
    while (line != message.npos) {
        message.remove_prefix(line + 1);
        line = message.find('\n');
        forget(std::string(message.substr(0, line)));
    }
}

}  // namespace buildplan::redis
