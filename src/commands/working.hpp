// Working: what one shard does in the background for others: relays the outbox to the queue (the first shard of a
// process), works on jobs, and measures the queues. Made, used and unmade on the shard's thread.
#pragma once

#include <optional>

#include "api/shard.hpp"
#include "core/settings.hpp"
#include "features/queues/gauges.hpp"
#include "postgres/listener.hpp"
#include "queue/jobs/workforce.hpp"
#include "queue/outbox/bullmq_sink.hpp"
#include "queue/outbox/relay.hpp"

namespace buildplan::commands {

class Working {
public:
    // All outlive it. `process` is the same for all shards of a process, and no other's.
    Working(Settings const& settings, std::string const& process, queue::jobs::Catalog const& catalog, Offload& offload,
            api::Shard& shard);

    void start();
    // No more jobs; those at work may go on for at most so long.
    task<> stop(std::chrono::milliseconds grace);
    task<> close();

private:
    struct Relaying {
        Relaying(Settings const& settings, queue::jobs::Catalog const& catalog, Offload& offload, api::Shard& shard);
        queue::outbox::BullmqSink sink;
        queue::outbox::Relay relay;
        postgres::Listener listener;
        queues::Gauges gauges;
    };
    queue::jobs::Performer performer_;
    queue::jobs::Workforce force_;
    std::optional<Relaying> relaying_;
};

}  // namespace buildplan::commands
