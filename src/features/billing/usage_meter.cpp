#include "features/billing/usage_meter.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <numeric>

#include "core/problem.hpp"
#include "features/billing/queries.gen.hpp"
#include "postgres/pool.hpp"

namespace buildplan::billing {
namespace {

constexpr std::string_view work = "fold_usage";

metrics::Counter& calls(Loop& loop, std::string_view state) {
    return loop.metrics().counter("buildplan_usage_calls_total",
                                  "Calls of organizations: counted, and of these those that are in PostgreSQL.",
                                  {{"state", state}});
}

}  // namespace

UsageMeter::UsageMeter(Loop& loop, postgres::SystemPool& system, Options options)
    : loop_(loop),
      system_(system),
      options_(options),
      calls_counted_(calls(loop, "counted")),
      calls_folded_(calls(loop, "folded")) {}

void UsageMeter::add(OrganizationId organization, Timestamp time) {
    auto& entry = counted_[{organization, std::chrono::floor<std::chrono::hours>(time)}];
    ++entry.count;
    entry.last = std::max(entry.last, time);
    calls_counted_.add();
}

void UsageMeter::cut() {
    auto& batch = batch_.emplace();
    while (!counted_.empty() && batch.organizations.size() < options_.most_in_fold) {
        auto const each = counted_.begin();
        batch.organizations.push_back(each->first.organization);
        batch.moments.push_back(each->second.last);
        batch.calls.push_back(each->second.count);
        counted_.erase(each);
    }
    ++folds_;
}

task<> UsageMeter::fold() {
    if (folding_) co_return;
    folding_ = true;
    struct Done {
        bool& flag;
        ~Done() { flag = false; }
    } const done{folding_};
    auto rounds = counted_.size() / options_.most_in_fold + 2;  // what comes meanwhile waits for the next time
    while ((batch_ || !counted_.empty()) && rounds-- > 0) {
        if (!batch_) cut();
        queries::FoldUsage const query{.meter_id = id_,
                                       .fold = folds_,
                                       .organizations = batch_->organizations,
                                       .moments = batch_->moments,
                                       .calls = batch_->calls};
        co_await system_.one(work, query, postgres::Lane::exclusive);
        auto const folded = std::accumulate(batch_->calls.begin(), batch_->calls.end(), std::int64_t{0});
        calls_folded_.add(static_cast<std::uint64_t>(folded));
        batch_.reset();
    }
}

void UsageMeter::start() {
    auto pass = gate_.enter();
    asio::co_spawn(loop_.io(), run(std::move(pass)),
                   asio::bind_cancellation_slot(cancel_.slot(), [](std::exception_ptr const&) {}));
}

task<> UsageMeter::run(Gate::Pass pass) {
    auto const held = std::move(pass);
    for (;;) {
        co_await sleep_for(options_.every);
        try {
            co_await fold();
            failing_ = false;
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::exception const& error) {
            if (!std::exchange(failing_, true))
                loop_.log().warning("usage could not be folded, it is kept until it can", {{"error", error.what()}});
        }
    }
}

task<> UsageMeter::close() {
    cancel_.emit(asio::cancellation_type::terminal);
    co_await gate_.close();
    try {
        co_await fold();
    } catch (std::exception const& error) {
        loop_.log().error("usage is lost: the last fold failed",
                          {{"error", error.what()}, {"calls", calls_counted_.value() - calls_folded_.value()}});
    }
}

task<std::uint64_t> sweep_usage_meters(postgres::SystemPool& system) {
    queries::SweepMeters const query;
    co_return co_await system.run("sweep_usage_meters", query);
}

}  // namespace buildplan::billing
