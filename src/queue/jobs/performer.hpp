// Performer: what a runner calls for each job: finds who does it, looks into the ledger whether it is still to be done,
// has it done, and writes there what became of it before the queue hears of it. So a worker may die at any instruction:
// what the queue then hands out again is done already, or is done now.
//
// A database that cannot be reached is no failure of a job: it is put off, and no attempt is counted.
#pragma once

#include <array>

#include "core/metrics.hpp"
#include "postgres/bell.hpp"
#include "postgres/pool.hpp"
#include "queue/bullmq/runner.hpp"
#include "queue/jobs/catalog.hpp"
#include "queue/jobs/context.hpp"

namespace buildplan::queue::jobs {

class Performer {
public:
    // All outlive it. `bell` may be missing: events of handlers are then found when the relay looks by itself.
    Performer(Loop& loop, Catalog const& catalog, postgres::Pool& pool, api::Shard& shard, postgres::Bell* bell);

    task<bullmq::Result> perform(bullmq::Run& run);

private:
    struct Attempt;  // a job in hand
    task<bullmq::Result> attempt(Attempt& attempt, JobType const& type);
    task<bullmq::Result> failed(Attempt& attempt, std::string error, bool for_good);

    Loop& loop_;
    Catalog const& catalog_;
    postgres::Pool& pool_;
    api::Shard& shard_;
    postgres::Bell* bell_;
    metrics::Counter &settled_, &put_off_, &dead_, &unknown_;
};

}  // namespace buildplan::queue::jobs
