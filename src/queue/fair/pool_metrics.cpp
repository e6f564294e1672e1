#include "queue/fair/pool_metrics.hpp"

namespace buildplan::queue::fair {
namespace {

constexpr std::array class_names{"shared", "PRO", "ENTERPRISE"};

}  // namespace

PoolMetrics::PoolMetrics(metrics::Registry& registry, std::string_view lane) {
    for (auto const& row : tiers) {
        metrics::Labels const labels{{"lane", lane}, {"tier", row.name}};
        tier[index_of(row.tier)] = {
            .wait = &registry.histogram("buildplan_queue_wait_seconds",
                                        "How long jobs waited from when they could be taken.", labels),
            .service = &registry.gauge("buildplan_queue_service_seconds",
                                       "Seconds that slots spent on the turns of a tier.", labels),
            .weighted_service = &registry.gauge("buildplan_queue_weighted_service_seconds",
                                                "The same over the weights of the organizations.", labels),
            .turns = &registry.counter("buildplan_queue_turns_total", "Turns that were taken.", labels),
            .jobs = &registry.counter("buildplan_queue_turn_jobs_total", "Jobs that were done in turns.", labels),
            .hand_overs = &registry.counter("buildplan_queue_hand_overs_total",
                                            "Jobs that were taken with the end of the one before.", labels)};
    }
    for (std::size_t i = 0; i < slot_classes; ++i) {
        metrics::Labels const labels{{"lane", lane}, {"class", class_names[i]}};
        slots[i] = {.idle = &registry.gauge("buildplan_queue_slots_idle", "Slots without a turn.", labels),
                    .busy = &registry.gauge("buildplan_queue_slots_busy", "Slots with a turn.", labels)};
    }
    metrics::Labels const labels{{"lane", lane}};
    empty_picks = &registry.counter("buildplan_queue_empty_picks_total", "Turns in which there was no job.", labels);
    refused = &registry.counter("buildplan_queue_settles_refused_total",
                                "Removals refused because there was a signal in between.", labels);
    expired = &registry.counter("buildplan_queue_turns_expired_total", "Visits to turns that nobody renewed.", labels);
    abandoned = &registry.counter("buildplan_queue_turns_abandoned_total",
                                  "Turns given up because nobody knew how the queue stood.", labels);
    due = &registry.counter("buildplan_queue_due_total", "Queues looked at again when they were due.", labels);
    constexpr std::array reasons{"maxed", "paused", "due"};
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        parked[i] = &registry.counter("buildplan_queue_parked_total", "Queues put aside to be looked at later.",
                                      {{"lane", lane}, {"reason", reasons[i]}});
    }
}

WatchMetrics::WatchMetrics(metrics::Registry& registry, std::string_view lane) {
    for (auto const& row : tiers) {
        metrics::Labels const labels{{"lane", lane}, {"tier", row.name}};
        tier[index_of(row.tier)] = {
            .oldest = &registry.gauge("buildplan_queue_oldest_wait_seconds",
                                      "How long the longest waiting queue has waited for a turn.", labels),
            .ready = &registry.gauge("buildplan_queue_ready", "Queues that have work and may be served.", labels),
            .lead =
                &registry.gauge("buildplan_queue_service_lead_seconds",
                                "Service over weight between the most and the least served that are ready.", labels)};
    }
    metrics::Labels const labels{{"lane", lane}};
    due = &registry.gauge("buildplan_queue_parked", "Queues put aside to be looked at later.", labels);
    turns = &registry.gauge("buildplan_queue_turns", "Turns that are held.", labels);
    leads = &registry.gauge("buildplan_queue_watching", "1 where this process watches the lane.", labels);
    repairs = &registry.counter("buildplan_queue_audit_repairs_total",
                                "Queues with work that the index did not know of. Above 0: a signal was lost.", labels);
    noticed = &registry.counter("buildplan_queue_noticed_total", "Markers seen in keyspace notifications.", labels);
    audited = &registry.counter("buildplan_queue_audited_total", "Queues that the audit has looked at.", labels);
}

}  // namespace buildplan::queue::fair
