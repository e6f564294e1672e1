// The relay's care for what the queue has lost.
#include <limits>

#include "queue/jobs/ledger.hpp"
#include "queue/outbox/hands.hpp"
#include "queue/outbox/relay.hpp"

namespace buildplan::queue::outbox {
namespace {

constexpr std::int64_t first = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();

}  // namespace

// Epochs are random, so what is not of the present one lies below it or above it.
task<std::size_t> Relay::queue_forgotten() {
    auto const epoch = co_await sink_.epoch();
    auto tx = system_.begin("queue_forgotten_jobs");
    queries::TakeForgotten const below{
        .from = first, .to = epoch == first ? first : epoch - 1, .limit = epoch == first ? 0 : limit_};
    queries::TakeForgotten const above{
        .from = epoch == last ? last : epoch + 1, .to = last, .limit = epoch == last ? 0 : limit_};
    queries::Relax const relax;
    auto [relaxed, found, others] = co_await tx.pipeline(relax, below, above);
    std::ranges::move(others, std::back_inserter(found));
    if (found.empty()) {
        co_await tx.rollback();
        co_return 0;
    }
    Hands hands;
    hands.take_again(std::move(found), catalog_);
    co_return co_await queue_again(tx, std::move(hands), forgotten_);
}

task<std::size_t> Relay::queue_again(postgres::SystemTx& tx, Hands hands, metrics::Counter& counter) {
    auto const added = co_await sink_.add(hands.jobs);
    queries::MarkQueuedAgain const mark{.epoch = added.epoch, .organizations = hands.organizations, .ids = hands.ids};
    co_await tx.commit_with(mark);
    counter.add(hands.size());
    loop_.log().info("jobs that the queue had lost are queued again", {{"rows", hands.size()}});
    co_return hands.size();
}

task<std::size_t> Relay::sweep() {
    auto const epoch = co_await sink_.epoch();
    queries::OwedPage const page{.epoch = epoch,
                                 .after = swept_to_,
                                 .after_id = swept_to_id_,
                                 .older_than = std::chrono::duration<double>(options_.sweep_older).count(),
                                 .limit = options_.batch};
    auto rows = co_await system_.all("sweep_owed_jobs", page, postgres::Lane::heavy);
    bool const over = rows.size() < static_cast<std::size_t>(options_.batch);
    next_sweep_ = Clock::now() + (over ? options_.sweep_pause : options_.sweep_every);
    swept_to_ = over ? Timestamp{} : rows.back().created_at;
    swept_to_id_ = over ? jobs::EntryId{} : rows.back().id;
    if (rows.empty()) co_return 0;

    std::vector<Place> places;
    for (auto& row : rows)
        places.push_back({row.organization_id, std::move(row.queue), {.id = row.id, .round = row.round}});
    auto sightings = co_await sink_.look(places);
    std::vector<Place> missing, finished;
    std::vector<std::string> errors;
    for (std::size_t i = 0; i < places.size(); ++i) {
        auto& seen = sightings.at(i);
        if (seen.state == Sighting::State::alive) continue;
        (seen.state == Sighting::State::missing ? missing : finished).push_back(places[i]);
        if (seen.state == Sighting::State::missing) continue;
        bool const failed = seen.state == Sighting::State::failed;
        errors.push_back(failed ? jobs::kept_error(seen.error) : std::string{});
    }
    auto const looked_at = places.size();
    if (!missing.empty()) co_await queue_lost(std::move(missing));
    if (!finished.empty()) co_await settle_elsewhere(std::move(finished), std::move(errors));
    co_return looked_at;
}

// What is owed still when it is locked: our workers write into the ledger before they take a job out of the queue.
task<> Relay::queue_lost(std::vector<Place> missing) {
    std::vector<OrganizationId> organizations;
    std::vector<jobs::EntryId> ids;
    for (auto const& place : missing) {
        organizations.push_back(place.organization);
        ids.push_back(place.entry.id);
    }
    auto tx = system_.begin("queue_lost_jobs");
    queries::TakeLost const take{.organizations = organizations, .ids = ids};
    auto found = co_await tx.all(take);
    Hands hands;
    hands.take_again(std::move(found), catalog_);
    if (hands.empty()) {
        co_await tx.rollback();
        co_return;
    }
    co_await queue_again(tx, std::move(hands), lost_);
}

task<> Relay::settle_elsewhere(std::vector<Place> finished, std::vector<std::string> errors) {
    std::vector<OrganizationId> organizations;
    std::vector<jobs::EntryId> ids;
    std::vector<std::int32_t> rounds;
    for (auto const& place : finished) {
        organizations.push_back(place.organization);
        ids.push_back(place.entry.id);
        rounds.push_back(place.entry.round);
    }
    queries::SettleElsewhere const settle{
        .organizations = organizations, .ids = ids, .rounds = rounds, .errors = errors};
    co_await system_.run("settle_finished_jobs", settle, postgres::Lane::writing);
}

task<std::uint64_t> sweep_outbox(postgres::SystemPool& system) {
    queries::SweepSettled const query{.limit = 10'000};
    co_return co_await system.run("sweep_outbox", query, postgres::Lane::heavy);
}

}  // namespace buildplan::queue::outbox
