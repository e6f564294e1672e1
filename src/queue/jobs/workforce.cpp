#include "queue/jobs/workforce.hpp"

#include "queue/jobs/queries.gen.hpp"

namespace buildplan::queue::jobs {
namespace {

task<std::vector<fair::Admission>> page_of_organizations(postgres::SystemPool& system,
                                                         std::optional<OrganizationId> after, std::size_t most) {
    queries::OrganizationsAfter const query{.after = after.value_or(OrganizationId{}),
                                            .limit = static_cast<std::int64_t>(most)};
    auto const rows = co_await system.all("audit_queues", query);
    std::vector<fair::Admission> page;
    for (auto const& row : rows) {
        page.push_back({.organization = row.organization_id,
                        .tier = fair::parse_tier(row.tier).value_or(fair::Tier::free),
                        .weight = 1,
                        .cap = row.cap});
    }
    co_return page;
}

}  // namespace

Workforce::Workforce(Loop& loop, redis::Client& client, redis::Options const& redis, postgres::SystemPool& system,
                     Performer& performer, WorkforceOptions options)
    : loop_(loop),
      system_(system),
      look_at_pauses_(options.look_at_pauses),
      workers_(
          loop, client, redis, handlers_,
          [&system](std::optional<OrganizationId> after, std::size_t most) {
              return page_of_organizations(system, after, most);
          },
          [&] {
              options.workers.paused = [this](std::string_view queue) { return paused_.contains(queue); };
              return options.workers;
          }()),
      upkeep_(loop) {
    handlers_.otherwise([&performer](bullmq::Run& run) { return performer.perform(run); });
}

void Workforce::start() { upkeep_.spawn("paused queues", watch_pauses(look_at_pauses_)); }

task<> Workforce::stop(std::chrono::milliseconds grace) {
    co_await upkeep_.stop();
    co_await workers_.stop(grace);
}

task<> Workforce::watch_pauses(std::chrono::milliseconds every) {
    for (bool first = true;; first = false) {
        try {
            queries::PausedQueues const query;
            auto const rows = co_await system_.all("look_at_paused_queues", query);
            std::set<std::string, std::less<>> now;
            for (auto const& row : rows) now.insert(row.queue);
            if (now != paused_) loop_.log().info("paused queues", {{"count", now.size()}});
            paused_ = std::move(now);
        } catch (Problem const&) {
            // As it was, until the database is back.
        }
        if (first) workers_.start();  // not before it is known where not to
        co_await sleep_for(every);
    }
}

}  // namespace buildplan::queue::jobs
