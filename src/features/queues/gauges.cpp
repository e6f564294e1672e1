#include "features/queues/gauges.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "features/queues/service.hpp"

namespace buildplan::queues {

Gauges::Gauges(Loop& loop, postgres::SystemPool& system, redis::Client& redis, std::chrono::milliseconds every)
    : loop_(loop),
      system_(system),
      redis_(redis),
      every_(every),
      events_(loop.metrics().gauge("buildplan_outbox_waiting", "Events that have not been given to a queue yet.")),
      events_lag_(loop.metrics().gauge("buildplan_outbox_lag_seconds", "The age of the oldest of them.")) {}

void Gauges::start() {
    asio::co_spawn(loop_.io(), run(gate_.enter()),
                   asio::bind_cancellation_slot(cancel_.slot(), [](std::exception_ptr const&) {}));
}

task<> Gauges::stop() {
    cancel_.emit(asio::cancellation_type::terminal);
    co_await gate_.close();
}

Gauges::Of& Gauges::of(std::string const& queue, std::string const& tier) {
    auto const found = gauges_.find({queue, tier});
    if (found != gauges_.end()) return found->second;
    auto& registry = loop_.metrics();
    constexpr std::string_view depth = "buildplan_queue_depth", about = "Jobs of a queue, by state.";
    auto const in = [&](std::string_view state) {
        return &registry.gauge(depth, about, {{"queue", queue}, {"tier", tier}, {"state", state}});
    };
    Of const made{
        .waiting = in("waiting"),
        .active = in("active"),
        .delayed = in("delayed"),
        .owed = in("owed"),
        .dead = in("dead"),
        .lag = &registry.gauge("buildplan_queue_lag_seconds", "The age of the oldest job that could be begun now.",
                               {{"queue", queue}, {"tier", tier}})};
    return gauges_.emplace(std::pair{queue, tier}, made).first->second;
}

task<> Gauges::measure() {
    auto const all = co_await list(system_, &redis_);
    events_.set(static_cast<double>(all.waiting_events));
    events_lag_.set(all.waiting_seconds);
    for (auto const& queue : all.items) {
        for (auto const& tier : queue.tiers) {
            auto& gauges = of(queue.name, tier.tier);
            auto const depth = tier.depth.value_or(Depth{});
            gauges.waiting->set(static_cast<double>(depth.waiting));
            gauges.active->set(static_cast<double>(depth.active));
            gauges.delayed->set(static_cast<double>(depth.delayed));
            gauges.owed->set(static_cast<double>(tier.owed));
            gauges.dead->set(static_cast<double>(tier.dead));
            gauges.lag->set(tier.lag_seconds);
        }
    }
}

task<> Gauges::run(Gate::Pass pass) {
    auto const held = std::move(pass);
    for (;;) {
        try {
            co_await measure();
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::exception const& error) {
            loop_.log().debug("the queues could not be measured", {{"error", error.what()}});
        }
        co_await sleep_for(every_);
    }
}

}  // namespace buildplan::queues
