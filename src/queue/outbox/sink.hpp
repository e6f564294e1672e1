// Sink: where the relay puts jobs: the queue, as far as the relay knows it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "postgres/value.hpp"
#include "queue/jobs/entry.hpp"
#include "queue/jobs/table.hpp"

namespace buildplan::queue::outbox {

struct QueuedJob {
    OrganizationId organization;
    jobs::Entry entry;
    std::string queue, name;
    postgres::Json data;
    jobs::Policy policy;
    Timestamp created_at;
    std::string tier;                      // FREE, PRO, ENTERPRISE
    std::optional<std::int64_t> cap = {};  // agreed beside it; see fair::Turn
};

// Where a job is to be found.
struct Place {
    OrganizationId organization;
    std::string queue;
    jobs::Entry entry;
};

// What the queue says of a job.
struct Sighting {
    enum class State : std::uint8_t { missing, alive, completed, failed };
    State state = State::missing;
    std::string error;  // of one that failed
};

class Sink {
public:
    // A number that the queue's memory has as long as it remembers: where it has none, it is given one.
    virtual task<std::int64_t> epoch() = 0;

    struct Added {
        std::int64_t epoch = 0;             // as it was before the first job was added
        std::vector<std::string> refusals;  // one for each job: why the queue will never take it; empty when it has
    };
    // A job that is there already is not added again. Throws when the queue cannot be reached or takes nothing now; any
    // number of them may have been added then.
    virtual task<Added> add(std::span<QueuedJob const> jobs) = 0;

    // One for each place.
    virtual task<std::vector<Sighting>> look(std::span<Place const> places) = 0;

protected:
    ~Sink() = default;
};

}  // namespace buildplan::queue::outbox
