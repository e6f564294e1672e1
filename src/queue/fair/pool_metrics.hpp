// What a pool measures; one for each lane and shard. `tier` labels are the tiers' names.
#pragma once

#include <array>
#include <string_view>

#include "core/metrics.hpp"
#include "queue/fair/probe.hpp"
#include "queue/fair/slots.hpp"

namespace buildplan::queue::fair {

struct PoolMetrics {
    PoolMetrics(metrics::Registry& registry, std::string_view lane);

    struct OfTier {
        metrics::Histogram* wait;          // of a job, from when it could be taken
        metrics::Gauge* service;           // seconds of slots
        metrics::Gauge* weighted_service;  // over weight: equal for all who always have work
        metrics::Counter* turns;
        metrics::Counter* jobs;
        metrics::Counter* hand_overs;  // jobs taken with the end of the one before, in a turn
    };
    std::array<OfTier, tiers.size()> tier;
    struct OfClass {
        metrics::Gauge *idle, *busy;
    };
    std::array<OfClass, slot_classes> slots;
    metrics::Counter *empty_picks, *refused, *expired, *abandoned, *due;
    std::array<metrics::Counter*, 3> parked;  // maxed, paused, due

    [[nodiscard]] metrics::Counter& parked_as(Standing::Kind kind) noexcept {
        return *parked[kind == Standing::Kind::maxed ? 0 : kind == Standing::Kind::paused ? 1 : 2];
    }
};

// What the watch of a lane measures: the one process that holds it tells of all.
struct WatchMetrics {
    WatchMetrics(metrics::Registry& registry, std::string_view lane);

    struct OfTier {
        metrics::Gauge *oldest, *ready, *lead;
    };
    std::array<OfTier, tiers.size()> tier;
    metrics::Gauge *due, *turns, *leads;
    metrics::Counter *repairs, *noticed, *audited;
};

}  // namespace buildplan::queue::fair
