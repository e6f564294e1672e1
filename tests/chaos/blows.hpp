// Blows: who is killed in the course of a run, when, and how long it stays away. Pure values made from a seed; the
// moments themselves are as exact as the machine's clock and its other work allow.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace buildplan::chaos {

enum class Victim : std::uint8_t { worker, relay, redis, postgres };
std::string_view to_string(Victim victim) noexcept;

struct Blow {
    Victim victim = Victim::worker;
    std::size_t which = 0;                // of the workers or relays, modulo how many there are
    std::chrono::milliseconds before{0};  // from the last one
    std::chrono::milliseconds away{0};    // until it is started again
    // Redis only. Its file loses what was written in the last moments, as when the power fails between two of the
    // fsyncs that it does every second.
    std::chrono::milliseconds lost{0};
    bool alone = false;      // PostgreSQL: the postmaster dies, its children have to notice
    bool also_work = false;  // a worker dies while the server is away
};

// `count` of them in an order of their own: more than half workers, a fifth relays, an eighth each Redis and
// PostgreSQL.
std::vector<Blow> blows(std::uint64_t seed, std::size_t count);

}  // namespace buildplan::chaos
