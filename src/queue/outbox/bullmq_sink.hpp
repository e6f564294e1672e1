// BullmqSink: the queue of the product, as the relay sees it: jobs of each organization in its own BullMQ queues, and
// the index of fair turns told of them. The queue's memory has its epoch under one key; in a cluster that is the memory
// of one node, and what another one has lost the relay's sweep finds.
#pragma once

#include <unordered_map>

#include "queue/fair/signals.hpp"
#include "queue/outbox/sink.hpp"
#include "redis/client.hpp"

namespace buildplan::queue::outbox {

inline constexpr std::string_view epoch_key = "buildplan:queue:epoch";

class BullmqSink final : public Sink {
public:
    // `client` outlives it.
    explicit BullmqSink(redis::Client& client);

    task<std::int64_t> epoch() override;
    task<Added> add(std::span<QueuedJob const> jobs) override;
    task<std::vector<Sighting>> look(std::span<Place const> places) override;

private:
    task<> tell(std::span<QueuedJob const> jobs, std::span<std::string const> refusals);
    void remember(std::int64_t epoch);

    redis::Client& client_;
    fair::Signals signals_;
    std::int64_t epoch_ = 0;
    std::unordered_map<OrganizationId, fair::Tier> admitted_;  // what the index was told in this epoch
};

}  // namespace buildplan::queue::outbox
