// The connections of one lane, and who waits for one. Decides which connection takes the next exchange and how many
// connections there should be; does nothing by itself.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/metrics.hpp"
#include "postgres/detail/connection.hpp"

namespace buildplan::postgres::detail {

class LaneState {
public:
    LaneState(Lane lane, LaneOptions const& options, metrics::Registry& registry, std::string_view pool);

    // The connection for the next exchange; none when all are taken.
    [[nodiscard]] Connection* pick(Clock::time_point now) const;
    // How many connections there should be, given who waits and how the ones that are there do.
    [[nodiscard]] std::size_t wanted(Clock::time_point now) const;
    // One that has been of no use for `idle` and is not wanted.
    [[nodiscard]] Connection* superfluous(Clock::time_point now, Clock::duration idle) const;
    // How long the server may take for an answer before the connection is taken for dead.
    [[nodiscard]] Clock::duration silence_limit(Clock::duration silence) const noexcept;

    void answered(Exchange const& exchange, Clock::time_point now);
    void remove(Connection const& connection);
    void publish(Clock::time_point now);

    Lane lane;
    LaneOptions options;
    std::vector<std::shared_ptr<Connection>> connections;
    std::deque<Exchange*> waiting;

    metrics::Histogram& wait_seconds;
    metrics::Histogram& query_seconds;

private:
    // Longer at one statement than the others usually take, whatever the distance to the server.
    [[nodiscard]] bool held_up(Connection const& connection, Clock::time_point now) const;

    Clock::duration usual_{};
    metrics::Gauge& busy_;
    metrics::Gauge& idle_;
    metrics::Gauge& connecting_;
    metrics::Gauge& waiting_;
};

inline constexpr std::size_t lane_count = 4;
std::string_view name_of(Lane lane) noexcept;

}  // namespace buildplan::postgres::detail
