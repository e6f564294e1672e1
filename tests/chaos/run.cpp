#include "run.hpp"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "producer.hpp"
#include "verdict.hpp"

namespace buildplan::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// How long nothing may move before it counts as stuck.
constexpr auto patience = 60s;
// How long a blow waits for the work to get so far as it should be by then.
constexpr auto most_wait = 1500ms;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

class Chaos {
public:
    explicit Chaos(RunOptions const& options) : options_(options), servers_(Servers::get()) {
        make_effects(*superuser());
        superuser_->execute("TRUNCATE outbox; DELETE FROM subscriptions; DELETE FROM organizations");
        (void)servers_.redis().ask("FLUSHALL");
        for (auto const* const tier : {"FREE", "FREE", "FREE", "PRO", "PRO", "PRO", "ENTERPRISE", "ENTERPRISE"}) {
            auto const id = organizations_.emplace_back(OrganizationId::make()).to_string();
            superuser_->query("INSERT INTO organizations (id, name, slug) VALUES ($1::uuid, 'Test', $2)", {id, id});
            superuser_->query("INSERT INTO subscriptions (organization_id, tier) VALUES ($1::uuid, $2)", {id, tier});
        }
    }

    Outcome play() {
        auto const begin = Clock::now();
        Crew crew(options_.crew);
        Producer producer(servers_.postgres().url(local::app_role), organizations_, options_.jobs, options_.seed);
        auto const all = blows(options_.seed, options_.blows);
        for (std::size_t i = 0; i < all.size(); ++i) {
            producer.allow(options_.jobs * (i + 1) / all.size());
            std::this_thread::sleep_for(all[i].before);
            keep_pace(options_.jobs * i / all.size() * 9 / 10);
            strike(crew, all[i]);
        }
        auto const& acknowledged = producer.finish();
        auto const quiet = Clock::now();
        Outcome outcome;
        outcome.wrong = settle();
        auto const settled = seconds_since(quiet);
        auto ledger = wrong_in_the_ledger(*superuser(), acknowledged);
        outcome.wrong.insert(outcome.wrong.end(), ledger.begin(), ledger.end());
        auto const deserters = crew.deserters();
        outcome.wrong.insert(outcome.wrong.end(), deserters.begin(), deserters.end());
        outcome.summary = fmt::format(
            "seed {}: {} jobs; killed {} times a worker, {} a relay, {} Redis ({} with what it wrote last), {} "
            "PostgreSQL; "
            "{:.1f} s of blows, quiet {:.1f} s later; {} effects, {} undone",
            options_.seed, value("SELECT count(*) FROM outbox"), killed_[0], killed_[1], killed_[2], lossy_, killed_[3],
            std::chrono::duration<double>(quiet - begin).count(), settled, value("SELECT count(*) FROM chaos_effects"),
            value("SELECT (SELECT last_value FROM chaos_effects_tried_seq) - (SELECT count(*) FROM chaos_effects)"));
        return outcome;
    }

private:
    postgres::Session* superuser() {
        if (!superuser_) superuser_ = std::make_unique<postgres::Session>(servers_.postgres().url());
        return superuser_.get();
    }
    std::string value(std::string const& sql) { return superuser()->value(sql).value_or("none"); }
    std::size_t count(std::string const& condition) {
        return std::stoul(value("SELECT count(*) FROM outbox WHERE " + condition));
    }

    // Blows are spread over the work rather than over the time that a machine takes for it.
    void keep_pace(std::size_t done) {
        auto const until = Clock::now() + most_wait;
        while (count("done_at IS NOT NULL") < done && Clock::now() < until) std::this_thread::sleep_for(50ms);
    }

    void strike(Crew& crew, Blow const& blow) {
        ++killed_.at(static_cast<std::size_t>(blow.victim));
        switch (blow.victim) {
            case Victim::worker:
            case Victim::relay:
                crew.kill(blow.victim, blow.which);
                std::this_thread::sleep_for(blow.away);
                crew.start(blow.victim, blow.which);
                return;
            case Victim::redis:
                servers_.kill_redis(blow.lost);
                if (blow.lost > 0ms) ++lossy_;
                break;
            case Victim::postgres:
                superuser_.reset();
                servers_.kill_postgres(blow.alone);
                break;
        }
        if (blow.also_work) crew.kill(Victim::worker, blow.which);
        std::this_thread::sleep_for(blow.away);
        if (blow.also_work) {
            ++killed_[0];
            crew.start(Victim::worker, blow.which);
        }
        if (blow.victim == Victim::redis) {
            servers_.start_redis();
        } else {
            servers_.start_postgres();
        }
    }

    // Until nothing is owed and no queue holds anything; what is left where nothing moves any more.
    std::vector<std::string> settle() {
        std::size_t least = std::numeric_limits<std::size_t>::max();
        auto until = Clock::now() + patience;
        for (;;) {
            auto const open = count("topic ^@ 'chaos.' AND done_at IS NULL AND failed_at IS NULL");
            std::vector<std::string> left;
            if (open == 0) left = left_in_the_queues(servers_.redis(), organizations_);
            if (open == 0 && left.empty()) return {};
            if (open + left.size() < least) {
                least = open + left.size();
                until = Clock::now() + patience;
            }
            if (Clock::now() > until) {
                if (open > 0) left.push_back(fmt::format("{} jobs are stuck", open));
                return left;
            }
            std::this_thread::sleep_for(50ms);
        }
    }

    RunOptions options_;
    Servers& servers_;
    std::unique_ptr<postgres::Session> superuser_;
    std::vector<OrganizationId> organizations_;
    std::array<std::size_t, 4> killed_{};
    std::size_t lossy_ = 0;
};

}  // namespace

Outcome run(RunOptions const& options) { return Chaos(options).play(); }

}  // namespace buildplan::chaos
