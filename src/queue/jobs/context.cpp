#include "queue/jobs/context.hpp"

#include "queue/jobs/principal.hpp"
#include "queue/jobs/queries.gen.hpp"

namespace buildplan::queue::jobs {

JobContext::JobContext(Facts facts, api::Shard& shard, postgres::Pool& pool, Log log, Reporter& reporter)
    : facts_(std::move(facts)),
      principal_(JobPrincipal::of(facts_.organization)),
      entry_(Entry::parse(facts_.id)),
      shard_(shard),
      pool_(pool),
      log_(std::move(log)),
      reporter_(reporter) {}

task<postgres::TenantTx> JobContext::begin(postgres::Lane lane) {
    auto tx = pool_.begin(principal_, lane);
    if (entry_) {
        queries::MarkDone const mark{.id = entry_->id, .round = entry_->round};
        auto const marked = co_await tx.run(mark);
        if (marked == 0) {
            co_await tx.rollback();
            throw Settled();
        }
    }
    co_return tx;
}

void JobContext::give_up(Problem const& problem) {
    std::string text = "The job's data does not fit: " + problem.detail;
    for (auto const& error : problem.errors) text += " " + error.pointer + ": " + error.detail;
    throw GiveUp(text);
}

}  // namespace buildplan::queue::jobs
