#include "postgres/detail/lane_state.hpp"

#include <algorithm>

namespace buildplan::postgres::detail {
namespace {

constexpr auto least_patience = std::chrono::milliseconds{5};

bool free(Connection const& connection) {
    return connection.ready() && !connection.leased && !connection.cancelling && !connection.retiring;
}

}  // namespace

std::string_view name_of(Lane lane) noexcept {
    constexpr std::string_view names[lane_count] = {"shared", "exclusive", "heavy", "writing"};
    return names[static_cast<std::size_t>(lane)];
}

LaneState::LaneState(Lane lane_, LaneOptions const& options_, metrics::Registry& registry, std::string_view pool)
    : lane(lane_),
      options(options_),
      wait_seconds(registry.histogram("buildplan_postgres_wait_seconds",
                                      "How long those who had to wait for a connection waited.",
                                      {{"pool", pool}, {"lane", name_of(lane)}})),
      query_seconds(registry.histogram("buildplan_postgres_query_seconds",
                                       "Round trips to PostgreSQL, from sending to answer.",
                                       {{"pool", pool}, {"lane", name_of(lane)}})),
      busy_(registry.gauge("buildplan_postgres_connections", "Connections to PostgreSQL.",
                           {{"pool", pool}, {"lane", name_of(lane)}, {"state", "busy"}})),
      idle_(registry.gauge("buildplan_postgres_connections", "Connections to PostgreSQL.",
                           {{"pool", pool}, {"lane", name_of(lane)}, {"state", "idle"}})),
      connecting_(registry.gauge("buildplan_postgres_connections", "Connections to PostgreSQL.",
                                 {{"pool", pool}, {"lane", name_of(lane)}, {"state", "connecting"}})),
      waiting_(registry.gauge("buildplan_postgres_waiting", "Requests that wait for a connection.",
                              {{"pool", pool}, {"lane", name_of(lane)}})) {}

bool LaneState::held_up(Connection const& connection, Clock::time_point now) const {
    return connection.admitted && connection.busy_for(now) > std::max<Clock::duration>(least_patience, 2 * usual_);
}

Connection* LaneState::pick(Clock::time_point now) const {
    Connection* best = nullptr;
    for (auto const& each : connections) {
        if (!free(*each) || each->in_flight() >= options.depth) continue;
        if (each->quiet()) return each.get();
        if (held_up(*each, now)) continue;
        if (best == nullptr || each->in_flight() < best->in_flight()) best = each.get();
    }
    return best;
}

std::size_t LaneState::wanted(Clock::time_point now) const {
    if (lane == Lane::shared) {
        if (waiting.empty()) return options.connections;
        auto const stuck = std::ranges::count_if(connections, [&](auto const& each) { return held_up(*each, now); });
        return options.connections + std::min<std::size_t>(static_cast<std::size_t>(stuck), options.spare);
    }
    auto const taken = std::ranges::count_if(
        connections, [](auto const& each) { return each->admitted && (!each->quiet() || !free(*each)); });
    // One stands ready for the first transaction; nothing is kept for the first report.
    std::size_t const least = lane == Lane::exclusive ? 1 : 0;
    return std::clamp<std::size_t>(static_cast<std::size_t>(taken) + waiting.size(), least, options.connections);
}

Connection* LaneState::superfluous(Clock::time_point now, Clock::duration idle) const {
    if (!waiting.empty() || connections.size() <= wanted(now)) return nullptr;
    for (auto const& each : connections) {
        if (free(*each) && each->quiet() && now - each->last_used() > idle) return each.get();
    }
    return nullptr;
}

Clock::duration LaneState::silence_limit(Clock::duration silence) const noexcept {
    if (options.statement_timeout.count() == 0) return Clock::duration::max();
    return options.statement_timeout + silence;
}

void LaneState::answered(Exchange const& exchange, Clock::time_point now) {
    auto const took = now - exchange.since;
    query_seconds.observe(std::chrono::duration<double>(took).count());
    usual_ += (std::min<Clock::duration>(took, std::chrono::milliseconds{50}) - usual_) / 32;
}

void LaneState::remove(Connection const& connection) {
    std::erase_if(connections, [&](auto const& each) { return each.get() == &connection; });
}

void LaneState::publish(Clock::time_point) {
    double busy = 0, idle = 0, connecting = 0;
    for (auto const& each : connections) {
        if (!each->ready()) {
            ++connecting;
        } else if (each->quiet() && free(*each)) {
            ++idle;
        } else {
            ++busy;
        }
    }
    busy_.set(busy);
    idle_.set(idle);
    connecting_.set(connecting);
    waiting_.set(static_cast<double>(waiting.size()));
}

}  // namespace buildplan::postgres::detail
