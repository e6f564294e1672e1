#include "queue/jobs/performer.hpp"

#include <fmt/core.h>

#include "queue/jobs/ledger.hpp"

namespace buildplan::queue::jobs {
namespace {

// How long a job waits for a database that is gone, and for a program that knows what it is.
constexpr bullmq::Millis until_database{3'000}, until_known{30'000};
// A job that no program knows for so long after it was made is dead: during a release an older one may see it first.
constexpr std::chrono::hours unknown_for{1};

metrics::Counter& counted(Loop& loop, std::string_view why) {
    return loop.metrics().counter("buildplan_jobs_set_aside_total", "Jobs that did not end by their handler's word.",
                                  {{"reason", why}});
}

OrganizationId organization_of(bullmq::QueueKeys const& keys) {
    constexpr std::string_view before = "buildplan:{";
    auto prefix = keys.prefix();
    if (prefix.starts_with(before) && prefix.ends_with('}')) {
        prefix.remove_prefix(before.size());
        prefix.remove_suffix(1);
        if (auto const id = OrganizationId::parse(prefix)) return *id;
    }
    throw bullmq::Unrecoverable("The queue is no organization's.");
}

class ToQueue final : public Reporter {
public:
    explicit ToQueue(bullmq::Run& run) : run_(run) {}
    task<> progress(std::string json) override { return run_.progress(std::move(json)); }
    task<> note(std::string line) override { co_await run_.log(std::move(line)); }

private:
    bullmq::Run& run_;
};

}  // namespace

struct Performer::Attempt {
    Attempt(bullmq::Run& run_, OrganizationId organization, Performer& by)
        : run(run_),
          reporter(run_),
          context({.organization = organization,
                   .queue = std::string(run_.keys().queue()),
                   .id = run_.job().id,
                   .name = run_.job().name,
                   .data = run_.job().data,
                   .attempt = static_cast<std::int32_t>(run_.job().attempts_made + 1),
                   .attempts = static_cast<std::int32_t>(run_.options().attempts.value_or(1))},
                  by.shard_, by.pool_,
                  by.loop_.log().with({{"organization", organization.to_string()},
                                       {"queue", run_.keys().queue()},
                                       {"job", run_.job().name},
                                       {"jobId", run_.job().id}}),
                  reporter) {}
    bullmq::Run& run;
    ToQueue reporter;
    JobContext context;
};

Performer::Performer(Loop& loop, Catalog const& catalog, postgres::Pool& pool, api::Shard& shard, postgres::Bell* bell)
    : loop_(loop),
      catalog_(catalog),
      pool_(pool),
      shard_(shard),
      bell_(bell),
      settled_(counted(loop, "settled")),
      put_off_(counted(loop, "database")),
      dead_(counted(loop, "dead")),
      unknown_(counted(loop, "unknown")) {}

task<bullmq::Result> Performer::perform(bullmq::Run& run) {
    Attempt in_hand(run, organization_of(run.keys()), *this);
    auto const* const type = catalog_.find(in_hand.context.queue(), in_hand.context.name());
    if (type == nullptr) {
        unknown_.add();
        if (bullmq::moment_now() - run.job().timestamp < unknown_for) co_return bullmq::Later{until_known};
        co_return co_await failed(
            in_hand, fmt::format("Nobody knows what a job {} of {} is.", run.job().name, run.keys().queue()), true);
    }
    std::string error;
    bool for_good = false;
    try {
        co_return co_await attempt(in_hand, *type);
    } catch (postgres::Unavailable const&) {
        put_off_.add();
        co_return bullmq::Later{until_database};
    } catch (postgres::OutcomeUnknown const&) {  // the next attempt finds out
        put_off_.add();
        co_return bullmq::Later{until_database};
    } catch (Postpone const& wish) {
        co_return bullmq::Later{wish.delay};
    } catch (GiveUp const& reason) {
        error = reason.what();
        for_good = true;
    } catch (boost::system::system_error const& reason) {
        if (run.cancelled()) throw;  // the runner knows why
        error = reason.what();
    } catch (std::exception const& reason) {
        error = reason.what();
    }
    co_return co_await failed(in_hand, std::move(error), for_good);
}

task<bullmq::Result> Performer::attempt(Attempt& in_hand, JobType const& type) {
    auto& context = in_hand.context;
    auto const entry = context.entry();
    if (entry) {
        bool const owed = co_await is_owed(pool_, context.principal(), *entry);
        if (!owed) {
            settled_.add();
            co_return bullmq::Completed{};
        }
    }
    postgres::Json value;
    try {
        value = co_await type.handler(context);
    } catch (Settled const&) {
        settled_.add();
        co_return bullmq::Completed{};
    }
    // One that committed nothing is done all the same; where it did, nothing is left to mark.
    if (entry) co_await mark_done(pool_, context.principal(), *entry);
    if (bell_ != nullptr) bell_->ring();
    co_return bullmq::Completed{std::move(value.text)};
}

// The ledger first: what is dead there stays known when the queue has forgotten it.
task<bullmq::Result> Performer::failed(Attempt& in_hand, std::string error, bool for_good) {
    auto& run = in_hand.run;
    auto const& context = in_hand.context;
    bool const last = for_good || !bullmq::retry_delay(run.options(), run.job().attempts_made);
    context.log().warning(last ? "a job has failed for good" : "a job has failed and is tried again",
                          {{"attempt", context.attempt()}, {"error", error}});
    if (!last) throw std::runtime_error(error);
    if (context.entry()) {
        try {
            co_await mark_dead(pool_, context.principal(), *context.entry(), error, context.attempt());
        } catch (postgres::Unavailable const&) {
            put_off_.add();
            co_return bullmq::Later{until_database};
        } catch (postgres::OutcomeUnknown const&) {
            put_off_.add();
            co_return bullmq::Later{until_database};
        }
        dead_.add();
    }
    throw bullmq::Unrecoverable(error);
}

}  // namespace buildplan::queue::jobs
