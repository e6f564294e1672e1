#include "features/queues/service.hpp"

#include <algorithm>

#include "core/keyset.hpp"
#include "features/queues/queries.gen.hpp"
#include "features/queues/standing.hpp"
#include "queue/bullmq/queue.hpp"
#include "queue/fair/index.hpp"
#include "queue/jobs/table.hpp"
#include "queue/outbox/bullmq_sink.hpp"
#include "queue/outbox/relay.hpp"

namespace buildplan::queues {
namespace {

constexpr std::string_view work = "operate_queues";
constexpr std::int64_t batch = 1000;

double age(std::optional<Timestamp> moment) {
    return moment ? std::max(0.0, std::chrono::duration<double>(now() - *moment).count()) : 0;
}

}  // namespace

bool is_known(std::string_view queue) noexcept {
    return queue::jobs::is_queue(queue) || queue == queue::outbox::misdirected_queue;
}

task<QueueList> list(postgres::SystemPool& system, redis::Client* redis) {
    auto standing = co_await read_standing(system, redis);
    QueueList all;
    queries::WaitingEvents const waiting_query;
    queries::ListPauses const pauses_query;
    auto const waiting = co_await system.one(work, waiting_query, postgres::Lane::heavy);
    auto const pauses = co_await system.all(work, pauses_query);
    all.waiting_events = waiting->waiting;
    all.waiting_seconds = age(waiting->oldest);
    std::vector<std::string_view> names(queue::jobs::queues::all.begin(), queue::jobs::queues::all.end());
    if (standing.of.contains(std::string(queue::outbox::misdirected_queue)))
        names.push_back(queue::outbox::misdirected_queue);
    for (auto const name : names) {
        QueueStatus status{.name = std::string(name), .depth = {}, .tiers = {}};
        status.paused = std::ranges::find(pauses, name, &queries::ListPauses::Row::queue) != pauses.end();
        if (standing.redis) status.depth.emplace();
        for (auto& tier : standing.of[status.name]) {
            status.owed += tier.owed;
            status.dead += tier.dead;
            status.lag_seconds = std::max(status.lag_seconds, tier.lag_seconds);
            if (status.depth && tier.depth) {
                status.depth->waiting += tier.depth->waiting;
                status.depth->active += tier.depth->active;
                status.depth->delayed += tier.depth->delayed;
            }
            status.tiers.push_back(std::move(tier));
        }
        all.items.push_back(std::move(status));
    }
    co_return all;
}

task<std::optional<QueueStatus>> get(postgres::SystemPool& system, redis::Client* redis, std::string queue) {
    auto all = co_await list(system, redis);
    auto const found = std::ranges::find(all.items, queue, &QueueStatus::name);
    if (found == all.items.end()) co_return std::nullopt;
    co_return std::move(*found);
}

task<std::vector<DeadJob>> dead_jobs(postgres::SystemPool& system, std::string queue, AfterDead after,
                                     std::int64_t limit) {
    auto const [before, before_id] = after.value_or(std::tuple{end_of_time, last_id<EntryId>()});
    queries::ListDead const query{.queue = queue, .before = before, .before_id = before_id, .limit = limit};
    auto rows = co_await system.all(work, query, postgres::Lane::heavy);
    std::vector<DeadJob> dead;
    dead.reserve(rows.size());
    for (auto& row : rows) {
        dead.push_back({.id = row.id,
                        .organization_id = row.organization_id,
                        .queue = std::move(row.queue).value_or(""),
                        .name = std::move(row.job).value_or(""),
                        .topic = std::move(row.topic),
                        .error = std::move(row.error).value_or(""),
                        .attempts = row.attempts.value_or(0),
                        .round = row.round,
                        .created_at = row.created_at,
                        .failed_at = row.failed_at});
    }
    co_return dead;
}

task<bool> retry(postgres::SystemPool& system, Actor const& actor, std::string queue, EntryId job) {
    auto tx = system.begin(work, actor);
    queries::FindDead const find{.id = job, .queue = queue};
    auto const found = co_await tx.one(find);
    if (!found) {
        co_await tx.rollback();
        co_return false;
    }
    queries::RetryDead const again{.organization_id = found->organization_id, .id = job};
    auto const done = co_await tx.commit_with(again);
    co_return done.has_value();
}

task<std::int64_t> retry_all(postgres::SystemPool& system, std::string queue) {
    std::int64_t all = 0;
    // What dies again meanwhile is left for another time.
    auto const before = now();
    for (;;) {
        queries::RetryAllDead const query{.queue = queue, .before = before, .limit = batch};
        auto const rows = static_cast<std::int64_t>(co_await system.run(work, query, postgres::Lane::heavy));
        all += rows;
        if (rows < batch) co_return all;
    }
}

task<> pause(postgres::SystemPool& system, std::string queue) {
    queries::PauseQueue const query{.queue = queue};
    co_await system.run(work, query, postgres::Lane::writing);
}

task<> resume(postgres::SystemPool& system, redis::Client* redis, std::string queue) {
    queries::ResumeQueue const query{.queue = queue};
    co_await system.run(work, query, postgres::Lane::writing);
    auto const* const lane = queue::fair::lane_of(queue);
    if (redis == nullptr || lane == nullptr) co_return;
    // Else they would be looked at when those who had found them paused look again.
    queries::OrganizationsOwed const owed{.queue = queue, .limit = 10'000};
    auto const rows = co_await system.all(work, owed, postgres::Lane::heavy);
    std::vector<queue::fair::Member> members;
    for (auto const& row : rows) members.push_back({row.organization_id, queue});
    queue::fair::Index index(*redis, *lane, lane->queues);
    try {
        co_await index.signal(std::move(members));
    } catch (redis::Failure const&) {
        // Then that is how it is.
    }
}

// First out of the queue, then out of the ledger what is in the queue no more: a job that a worker has taken stays in
// both. Killed in between, the relay's sweep puts back what was taken out.
task<std::int64_t> drain(postgres::SystemPool& system, redis::Client& redis, std::string queue) {
    queries::OrganizationsOwed const owed{.queue = queue, .limit = 1'000'000};
    auto const organizations = co_await system.all(work, owed, postgres::Lane::heavy);
    for (auto const& row : organizations) {
        queue::bullmq::Queue jobs(redis, {row.organization_id, queue});
        co_await jobs.drain(true);
    }
    queue::outbox::BullmqSink sink(redis);
    std::int64_t given_up = 0;
    Timestamp after{};
    EntryId after_id{};
    for (;;) {
        queries::OwedOfQueue const page{.queue = queue, .after = after, .after_id = after_id, .limit = batch};
        auto const rows = co_await system.all(work, page, postgres::Lane::heavy);
        std::vector<queue::outbox::Place> places;
        for (auto const& row : rows) places.push_back({row.organization_id, queue, {.id = row.id, .round = row.round}});
        auto const seen = co_await sink.look(places);
        std::vector<OrganizationId> whose;
        std::vector<EntryId> ids;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (seen.at(i).state != queue::outbox::Sighting::State::missing) continue;
            whose.push_back(rows[i].organization_id);
            ids.push_back(rows[i].id);
        }
        queries::GiveUp const give_up{.error = "Drained by an operator.", .organizations = whose, .ids = ids};
        if (!ids.empty())
            given_up += static_cast<std::int64_t>(co_await system.run(work, give_up, postgres::Lane::writing));
        if (rows.size() < static_cast<std::size_t>(batch)) co_return given_up;
        after = rows.back().created_at;
        after_id = rows.back().id;
    }
}

}  // namespace buildplan::queues
