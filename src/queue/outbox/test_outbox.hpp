// For tests: a migrated database with organizations and events, and a sink that keeps jobs in memory and fails when it
// is told to.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "core/random.hpp"
#include "postgres/test_pool.hpp"
#include "queue/jobs/context.hpp"
#include "queue/outbox/relay.hpp"

namespace buildplan::queue::testing {

using namespace std::chrono_literals;
using postgres::testing::until;

// One for the tests of a program: each test uses organizations of its own and leaves no row that waits or is owed.
inline test_support::MigratedDatabase& database() {
    static test_support::MigratedDatabase database;
    return database;
}
inline postgres::Session& superuser() {
    static postgres::Session session(database().admin());
    return session;
}

struct Tenant {
    OrganizationId id = OrganizationId::make();

    explicit Tenant(std::string_view tier = "FREE") {
        superuser().query("INSERT INTO organizations (id, name, slug) VALUES ($1::uuid, 'Test', $2)",
                          {id.to_string(), id.to_string()});
        superuser().query("INSERT INTO subscriptions (organization_id, tier) VALUES ($1::uuid, $2)",
                          {id.to_string(), std::string(tier)});
    }
    // Writes an event; its id.
    jobs::EntryId write(std::string_view topic, std::string_view payload = "{}") const {
        auto const made = superuser().value(
            "INSERT INTO outbox (organization_id, topic, payload) VALUES ($1::uuid, $2, $3::jsonb) RETURNING id",
            {id.to_string(), std::string(topic), std::string(payload)});
        return *jobs::EntryId::parse(*made);
    }
    void write_many(int count, std::string_view topic) const {
        superuser().query(
            "INSERT INTO outbox (organization_id, topic, payload) "
            "SELECT $1::uuid, $2, jsonb_build_object('number', n) FROM generate_series(1, $3::int) n",
            {id.to_string(), std::string(topic), std::to_string(count)});
    }
    // waiting, event, owed, done or dead.
    [[nodiscard]] std::string state(jobs::EntryId entry) const {
        return superuser()
            .value(
                "SELECT CASE WHEN relayed_at IS NULL THEN 'waiting' WHEN failed_at IS NOT NULL THEN 'dead' "
                "WHEN done_at IS NOT NULL THEN 'done' WHEN queue IS NULL THEN 'event' ELSE 'owed' END "
                "FROM outbox WHERE organization_id = $1::uuid AND id = $2::uuid",
                {id.to_string(), entry.to_string()})
            .value_or("gone");
    }
    [[nodiscard]] std::string value(std::string const& sql) const {
        return superuser().value(sql, {id.to_string()}).value_or("NULL");
    }
    [[nodiscard]] std::string count(std::string const& condition) const {
        return value("SELECT count(*) FROM outbox WHERE organization_id = $1::uuid AND " + condition);
    }
};

inline std::int64_t random_epoch() {
    std::int64_t epoch = 0;
    auto const bytes = random_bytes(sizeof epoch);
    std::memcpy(&epoch, bytes.data(), sizeof epoch);
    return epoch;
}

class ScriptedSink final : public outbox::Sink {
public:
    task<std::int64_t> epoch() override {
        ++looks;
        co_return epoch_;
    }
    task<Added> add(std::span<outbox::QueuedJob const> jobs) override {
        ++adds;
        if (before_add) before_add();
        Added added{.epoch = epoch_, .refusals = std::vector<std::string>(jobs.size())};
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (jobs[i].name == "refused") {
                added.refusals[i] = "the queue will not have it";
                continue;
            }
            seen.push_back(jobs[i]);
            auto const id = jobs[i].entry.job_id();
            if (!there.try_emplace(id, outbox::Sighting{.state = outbox::Sighting::State::alive, .error = {}}).second)
                ++repeats;
        }
        if (after_add) after_add();
        co_return added;
    }
    task<std::vector<outbox::Sighting>> look(std::span<outbox::Place const> places) override {
        std::vector<outbox::Sighting> sightings;
        for (auto const& place : places) {
            auto const found = there.find(place.entry.job_id());
            sightings.push_back(found == there.end() ? outbox::Sighting{} : found->second);
        }
        co_return sightings;
    }
    void lose_everything() {
        there.clear();
        epoch_ = random_epoch();
    }
    [[nodiscard]] bool has(jobs::EntryId id) const { return there.contains(id.to_string()); }

    std::map<std::string, outbox::Sighting> there;  // by the job's id
    std::vector<outbox::QueuedJob> seen;
    int adds = 0, repeats = 0, looks = 0;
    std::function<void()> before_add, after_add;

private:
    std::int64_t epoch_ = random_epoch();
};

inline task<postgres::Json> do_nothing(jobs::JobContext&) { co_return postgres::Json{"{}"}; }

inline constexpr jobs::JobType test_jobs[] = {
    {jobs::queues::webhook, "deliver", do_nothing, jobs::on("thing.made"), jobs::on("thing.changed"),
     jobs::attempts(7)},
    {jobs::queues::notifications, "tell", do_nothing, jobs::on("news.*")},
};
inline jobs::Catalog const& catalog() {
    static constexpr std::span<jobs::JobType const> tables[] = {test_jobs};
    static jobs::Catalog const catalog(tables);
    return catalog;
}

// A relay with everything that it needs, on a loop of the test's thread.
struct RelayGround : postgres::testing::Ground {
    explicit RelayGround(outbox::RelayOptions options = {}, std::string const& url = database().system())
        : system(loop, offload, postgres::testing::options_for(url)),
          app(loop, offload, postgres::testing::options_for(database().app())),
          relay(loop, system, sink, catalog(), options) {}

    template <class Test>
    void play(Test test) {
        run([](RelayGround& self, Test t) -> task<> {
            std::exception_ptr failure;
            try {
                co_await t(self);
            } catch (...) {
                failure = std::current_exception();
            }
            co_await self.relay.stop();
            co_await self.system.close();
            co_await self.app.close();
            if (failure) std::rethrow_exception(failure);
        }(*this, std::move(test)));
    }

    postgres::SystemPool system;
    postgres::Pool app;
    ScriptedSink sink;
    outbox::Relay relay;
};

}  // namespace buildplan::queue::testing
