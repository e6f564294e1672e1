#include "blows.hpp"

#include <algorithm>
#include <random>

namespace buildplan::chaos {

using namespace std::chrono_literals;

std::string_view to_string(Victim victim) noexcept {
    switch (victim) {
        case Victim::worker:
            return "worker";
        case Victim::relay:
            return "relay";
        case Victim::redis:
            return "Redis";
        case Victim::postgres:
            return "PostgreSQL";
    }
    return "";
}

std::vector<Blow> blows(std::uint64_t seed, std::size_t count) {
    std::mt19937_64 random(seed);
    auto const below = [&](std::uint64_t limit) { return random() % limit; };  // alike with every standard library
    auto const between = [&](std::chrono::milliseconds low, std::chrono::milliseconds high) {
        return low + std::chrono::milliseconds{below(static_cast<std::uint64_t>((high - low).count()))};
    };
    std::vector<Blow> all(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto& blow = all[i];
        auto const place = i % 16;  // each kind has its share whatever the seed
        blow.victim = place < 2   ? Victim::redis
                      : place < 4 ? Victim::postgres
                      : place < 7 ? Victim::relay
                                  : Victim::worker;
        blow.which = below(1000);
        blow.before = between(20ms, 400ms);
        blow.away = below(2) == 0 ? 0ms : between(0ms, 400ms);
        if (blow.victim == Victim::redis && place == 0) blow.lost = between(20ms, 900ms);
        if (blow.victim == Victim::postgres) blow.alone = below(2) == 0;
        if (blow.victim == Victim::redis || blow.victim == Victim::postgres) blow.also_work = below(3) == 0;
    }
    for (std::size_t i = count; i > 1; --i) std::swap(all[i - 1], all[below(i)]);
    return all;
}

}  // namespace buildplan::chaos
