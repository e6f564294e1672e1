// Counting an organization's calls in fixed windows, as the contract has it: INCR and EXPIRE on
// `rate:{org}:{endpoint}:{hour}`. The two commands can ride with others in one flight. Whether a count is too many is
// the caller's to say. While Redis is gone a count is kept here instead, on top of the last that Redis told, and taken
// times the number of shards that count beside this one: rather too strict than open.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/time.hpp"
#include "redis/client.hpp"

namespace buildplan::redis {

// One organization, one endpoint, one window.
struct RateWindow {
    std::string key;
    std::chrono::seconds length{3600};
    std::chrono::seconds resets_in{0};

    static RateWindow at(Timestamp now, std::string_view organization, std::string_view endpoint,
                         std::chrono::seconds length = std::chrono::seconds{3600});
};

class RateCounter {
public:
    struct Count {
        std::int64_t calls = 0;  // this one included
        std::chrono::seconds resets_in{0};
        bool local = false;  // counted here, Redis is gone
    };

    // `beside`: how many shards, of all processes, count together.
    RateCounter(Client& client, unsigned beside) : client_(&client), beside_(beside) {}
    // Without a client every count is kept here.
    RateCounter(Client* client, unsigned beside) : client_(client), beside_(beside) {}

    // Counts one call. Never throws for a Redis that is gone.
    task<Count> count(RateWindow window);
    // The same, with `others` in the same flight; their replies go to `replies`, which stays empty when Redis is gone.
    task<Count> count(RateWindow window, std::vector<Command> others, std::vector<Value>& replies);

    // One call in each of these windows, all in one flight.
    task<std::vector<Count>> count(std::vector<RateWindow> windows);

    // One call that was counted was none after all. Nobody waits for it.
    void take_back(RateWindow const& window);
    // Begins anew.
    void forget(RateWindow const& window);

private:
    [[nodiscard]] bool available() const noexcept { return client_ && client_->available(); }
    Count count_here(RateWindow const& window);
    void remember(RateWindow const& window, std::int64_t calls);

    struct Known {
        std::int64_t calls = 0;
        std::chrono::steady_clock::time_point until;
    };
    Client* client_;
    unsigned beside_;
    std::unordered_map<std::string, Known> known_;
};

}  // namespace buildplan::redis
