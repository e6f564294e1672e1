// BullmqSink: the queue of the product, as the relay sees it: jobs of each organization in its own BullMQ queues, and
// the index of fair turns told of them. The queue's memory has its epoch under one key; in a cluster that is the memory
// of one node, and what another one has lost the relay's sweep finds.
#pragma once

#include <unordered_map>

#include "queue/fair/index.hpp"
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
    struct Told {
        fair::Index index;
        std::vector<fair::Member> members;
        std::vector<fair::Admission> admissions;
    };
    // What an organization pays for, as the index of turns is told.
    struct Standing {
        fair::Tier tier;
        std::optional<std::int64_t> cap;
        friend auto operator<=>(Standing const&, Standing const&) = default;
    };
    task<> tell(std::span<QueuedJob const> jobs, std::span<std::string const> refusals);
    void remember(std::int64_t epoch);

    redis::Client& client_;
    std::vector<Told> lanes_;
    std::int64_t epoch_ = 0;
    std::unordered_map<OrganizationId, Standing> admitted_;  // what the index was told in this epoch
};

}  // namespace buildplan::queue::outbox
