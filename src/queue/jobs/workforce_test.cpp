// Workers of the product on real servers: from the event in PostgreSQL to its effect, whatever dies meanwhile.
#include "queue/jobs/workforce.hpp"

#include <gtest/gtest.h>

#include "postgres/listener.hpp"
#include "queue/bullmq/queue.hpp"
#include "queue/outbox/bullmq_sink.hpp"
#include "queue/outbox/test_outbox.hpp"
#include "redis/test_loop.hpp"
#include "tests/support/forked.hpp"

namespace buildplan::queue::testing {
namespace {

using bullmq::Queue;
using bullmq::State;

// What the handlers of these tests do. They are free functions, so what they are told lies here.
struct Orders {
    int runs = 0, failures = 0, cancelled = 0, postponed = 0;
    std::chrono::milliseconds takes{0};
} orders;

using AddEffect = postgres::testing::Sql<"test.add_job_effect",
                                         "INSERT INTO outbox (organization_id, topic, payload) VALUES "
                                         "(current_setting('app.current_organization_id')::uuid, 'effect', "
                                         "jsonb_build_object('of', $1::text))",
                                         void, std::string_view>;

task<postgres::Json> have_effect(jobs::JobContext& context) {
    ++orders.runs;
    auto tx = co_await context.begin();
    AddEffect const effect{context.id()};
    co_await tx.run(effect);
    if (orders.takes.count() > 0) co_await sleep_for(orders.takes);
    co_await tx.commit();
    co_return postgres::Json{R"({"ok":true})"};
}
task<postgres::Json> commit_nothing(jobs::JobContext& context) {
    ++orders.runs;
    co_await context.note("a line");
    co_await context.progress("50");
    co_return postgres::Json{R"("done")"};
}
task<postgres::Json> fail_always(jobs::JobContext&) {
    ++orders.failures;
    throw std::runtime_error("no such host");
    co_return postgres::Json{};
}
task<postgres::Json> give_up(jobs::JobContext&) {
    ++orders.failures;
    throw jobs::GiveUp("it makes no sense");
    co_return postgres::Json{};
}
task<postgres::Json> postpone_once(jobs::JobContext&) {
    if (orders.postponed++ == 0) throw jobs::Postpone(20ms, "not now");
    co_return postgres::Json{"null"};
}
task<postgres::Json> take_long(jobs::JobContext&) {
    ++orders.runs;
    try {
        co_await sleep_for(30s);
    } catch (boost::system::system_error const&) {
        ++orders.cancelled;
        throw;
    }
    co_return postgres::Json{"null"};
}
struct Wanted {
    std::int32_t number = 0;
};
BOOST_DESCRIBE_STRUCT(Wanted, (), (number))
task<postgres::Json> read_data(jobs::JobContext& context) {
    co_return postgres::Json{fmt::format("{}", context.data<Wanted>().number + 1)};
}

constexpr jobs::JobType work_table[] = {
    {jobs::queues::webhook, "effect", have_effect, jobs::on("effect.wanted")},
    {jobs::queues::documents, "nothing", commit_nothing},
    {jobs::queues::email, "fail", fail_always, jobs::attempts(3), jobs::backoff(std::chrono::milliseconds{5})},
    {jobs::queues::email, "give-up", give_up},
    {jobs::queues::email, "postpone", postpone_once, jobs::attempts(1)},
    {jobs::queues::agent_jobs, "long", take_long},
    {jobs::queues::billing, "read", read_data},
};
jobs::Catalog const& work_catalog() {
    static constexpr std::span<jobs::JobType const> tables[] = {work_table};
    static jobs::Catalog const catalog(tables);
    return catalog;
}

// One process that relays and works.
struct Process {
    explicit Process(Loop& loop, Offload& offload, redis::Client& client, fair::WorkersOptions options = {})
        : system(loop, offload, postgres::testing::options_for(database().system())),
          app(loop, offload, postgres::testing::options_for(database().app())),
          sink(client),
          relay(loop, system, sink, work_catalog(), {.poll = 50ms, .look = 200ms, .sweep_older = 1s}),
          bell(loop, system, std::string(outbox::bell_channel)),
          performer(loop, work_catalog(), app, no_shard(), &bell),
          force(loop, client, redis::Options::parse(test_support::redis().url()), system, performer,
                {.look_at_pauses = 50ms, .workers = quick(std::move(options))}) {}
    static fair::WorkersOptions quick(fair::WorkersOptions options) {
        options.pool.look_at_paused = 100ms;
        return options;
    }
    static api::Shard& no_shard() {
        static std::max_align_t nothing;
        return reinterpret_cast<api::Shard&>(nothing);  // nobody looks into it
    }
    void start() {
        relay.start();
        force.start();
    }
    task<> stop(std::chrono::milliseconds grace = 100ms) {
        co_await force.stop(grace);
        co_await relay.stop();
        co_await bell.close();
        co_await app.close();
        co_await system.close();
    }
    postgres::SystemPool system;
    postgres::Pool app;
    outbox::BullmqSink sink;
    outbox::Relay relay;
    postgres::Bell bell;
    jobs::Performer performer;
    jobs::Workforce force;
};

class TheWorkforce : public ::testing::Test {
protected:
    TheWorkforce() {
        orders = {};
        superuser().execute("DELETE FROM outbox; DELETE FROM queue_pauses");
        (void)test_support::redis().ask("FLUSHALL");
    }
    template <class Test>
    void play(Test test, fair::WorkersOptions options = {}) {
        postgres::testing::on_ground([&](postgres::testing::Ground& g) -> task<> {
            auto client = co_await redis::connect(g.loop, test_support::redis().url());
            Process process(g.loop, g.offload, *client, std::move(options));
            process.start();
            std::exception_ptr failure;
            try {
                co_await test(process, *client);
            } catch (...) {
                failure = std::current_exception();
            }
            co_await process.stop();
            co_await client->close();
            if (failure) std::rethrow_exception(failure);
        });
    }
    task<> until_state(jobs::EntryId id, std::string state) {
        for (int i = 0; i < 1000 && us.state(id) != state; ++i) co_await sleep_for(10ms);
        EXPECT_EQ(us.state(id), state);
    }
    [[nodiscard]] std::string effects() const { return us.count("topic = 'effect'"); }
    // How many jobs had their effect more or less than once.
    [[nodiscard]] std::string wrong() const {
        return us.value(
            "SELECT count(*) FROM outbox j WHERE organization_id = $1::uuid AND topic = 'effect.wanted' AND 1 <> "
            "(SELECT "
            "count(*) FROM outbox e WHERE e.organization_id = j.organization_id AND e.topic = 'effect' AND "
            "e.payload->>'of' = j.id::text)");
    }
    Tenant us;
};

TEST_F(TheWorkforce, DoesWhatAnEventAsksFor) {
    auto const id = us.write("effect.wanted");
    play([&](Process&, redis::Client& client) -> task<> {
        co_await until_state(id, "done");
        EXPECT_EQ(effects(), "1");
        Queue queue(client, {us.id, "webhook"});
        for (int i = 0; i < 200 && (co_await queue.state(id.to_string())) != State::completed; ++i)
            co_await sleep_for(5ms);
        auto const job = co_await queue.job(id.to_string());
        EXPECT_EQ(job ? job->return_value : "", R"({"ok":true})");
    });
}

TEST_F(TheWorkforce, MarksAJobThatCommitsNothing) {
    auto const id = us.write("job.documents.nothing");
    play([&](Process&, redis::Client& client) -> task<> {
        co_await until_state(id, "done");
        Queue queue(client, {us.id, "documents"});
        auto const logs = co_await queue.logs(id.to_string());
        EXPECT_EQ(logs.lines, std::vector<std::string>{"a line"});
    });
}

TEST_F(TheWorkforce, AnswersAPingOnEveryQueueWhoeverAsks) {
    play([&](Process&, redis::Client& client) -> task<> {
        std::vector<std::pair<std::string, std::string>> asked;
        for (auto const name : bullmq::queues::all) {
            Queue queue(client, {us.id, name});
            auto id = co_await queue.ping();
            asked.emplace_back(std::string(name), std::move(id));
        }
        for (auto const& [name, id] : asked) {
            Queue queue(client, {us.id, name});
            for (int i = 0; i < 1000 && (co_await queue.state(id)) != State::completed; ++i) co_await sleep_for(10ms);
            auto const outcome = co_await queue.outcome(id);
            EXPECT_EQ(outcome.value, R"({"pong":true})") << name;
        }
    });
}

TEST_F(TheWorkforce, BuriesAJobThatFailsAtEachAttempt) {
    auto const id = us.write("job.email.fail");
    play([&](Process&, redis::Client& client) -> task<> {
        co_await until_state(id, "dead");
        EXPECT_EQ(orders.failures, 3);
        EXPECT_EQ(us.value("SELECT error || ' ' || attempts FROM outbox WHERE organization_id = $1::uuid"),
                  "no such host 3");
        Queue queue(client, {us.id, "email"});
        for (int i = 0; i < 200 && (co_await queue.state(id.to_string())) != State::failed; ++i)
            co_await sleep_for(5ms);
        EXPECT_EQ(co_await queue.state(id.to_string()), State::failed);
    });
}

TEST_F(TheWorkforce, BuriesAtOnceWhatMakesNoSense) {
    auto const id = us.write("job.email.give-up");
    auto const bad = us.write("job.billing.read", R"({"number":"seven"})");
    play([&](Process&, redis::Client&) -> task<> {
        co_await until_state(id, "dead");
        co_await until_state(bad, "dead");
        EXPECT_EQ(orders.failures, 1);
    });
}

TEST_F(TheWorkforce, PutsOffWithoutCountingAnAttempt) {
    auto const id = us.write("job.email.postpone");
    play([&](Process&, redis::Client&) -> task<> {
        co_await until_state(id, "done");
        EXPECT_EQ(orders.postponed, 2);
    });
}

TEST_F(TheWorkforce, DoesNotRepeatWhatTheQueueHandsOutAgain) {
    auto const id = us.write("effect.wanted");
    play([&](Process&, redis::Client& client) -> task<> {
        co_await until_state(id, "done");
        co_await sleep_for(50ms);
        co_await client.command("FLUSHALL");
        // As a relay would that was killed before its mark, when the first job is long gone.
        Queue queue(client, {us.id, "webhook"});
        bullmq::NewJob again{.name = "effect", .data = "{}", .options = {}};
        again.options.job_id = id.to_string();
        co_await queue.add(again);
        fair::Index index(client, *fair::lane_of("webhook"), fair::lane_of("webhook")->queues);
        co_await index.signal({{us.id, "webhook"}});
        for (int i = 0; i < 1000 && (co_await queue.state(id.to_string())) != State::completed; ++i)
            co_await sleep_for(5ms);
        EXPECT_EQ(orders.runs, 1);
        EXPECT_EQ(effects(), "1");
    });
}

TEST_F(TheWorkforce, HandsBackAtOnceWhatItCannotFinish) {
    auto const id = us.write("job.agent-jobs.long");
    postgres::testing::on_ground([&](postgres::testing::Ground& g) -> task<> {
        auto client = co_await redis::connect(g.loop, test_support::redis().url());
        Process process(g.loop, g.offload, *client);
        process.start();
        co_await until([&] { return orders.runs == 1; });
        auto const began = std::chrono::steady_clock::now();
        co_await process.stop(50ms);
        EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
        EXPECT_EQ(orders.cancelled, 1);
        EXPECT_EQ(us.state(id), "owed");
        Queue queue(*client, {us.id, "agent-jobs"});
        EXPECT_EQ(co_await queue.state(id.to_string()), State::waiting);
        auto const job = co_await queue.job(id.to_string());
        EXPECT_EQ(job ? job->attempts_made : -1, 0);
        co_await client->close();
    });
}

TEST_F(TheWorkforce, LeavesPausedQueuesAlone) {
    superuser().execute("INSERT INTO queue_pauses (queue) VALUES ('webhook')");
    auto const paused = us.write("effect.wanted");
    auto const other = us.write("job.documents.nothing");
    play([&](Process&, redis::Client&) -> task<> {
        co_await until_state(other, "done");
        co_await sleep_for(200ms);
        EXPECT_EQ(us.state(paused), "owed");
        superuser().execute("DELETE FROM queue_pauses");
        co_await until_state(paused, "done");
    });
}

TEST_F(TheWorkforce, FinishesEachJobOnceWhileTheQueueIsWiped) {
    us.write_many(600, "effect.wanted");
    orders.takes = 1ms;
    play([&](Process&, redis::Client& client) -> task<> {
        for (int i = 0; i < 10; ++i) {
            co_await sleep_for(60ms);
            co_await client.command("FLUSHALL");
        }
        auto const until = std::chrono::steady_clock::now() + 40s;
        while (us.count("topic = 'effect.wanted' AND done_at IS NOT NULL") != "600" &&
               std::chrono::steady_clock::now() < until)
            co_await sleep_for(50ms);
        EXPECT_EQ(us.count("topic = 'effect.wanted' AND done_at IS NOT NULL"), "600");
        EXPECT_EQ(wrong(), "0");
    });
}

void work_until_killed() {
    postgres::testing::on_ground([](postgres::testing::Ground& g) -> task<> {
        auto client = co_await redis::connect(g.loop, test_support::redis().url());
        fair::WorkersOptions options;
        options.lock_duration = 500ms;
        options.pool.turn_lasts = 500ms;
        options.pool.visits_apart = 500ms;
        Process process(g.loop, g.offload, *client, options);
        process.start();
        co_await sleep_for(600s);
    });
}

TEST_F(TheWorkforce, FinishesEachJobOnceWhoeverIsKilled) {
    us.write_many(600, "effect.wanted");
    orders.takes = 2ms;
    auto const done = [&] { return us.count("topic = 'effect.wanted' AND done_at IS NOT NULL"); };
    int kills = 0;
    auto const until = std::chrono::steady_clock::now() + 60s;
    for (; done() != "600" && std::chrono::steady_clock::now() < until; ++kills) {
        test_support::Forked one(work_until_killed), two(work_until_killed);
        // Killed at first in the middle; left alone at last, for what a dead worker had is found after some seconds.
        std::this_thread::sleep_for(std::chrono::milliseconds{kills < 6 ? 150 + kills * 37 % 100 : 4000});
        one.kill9();
        two.kill9();
    }
    EXPECT_EQ(done(), "600");
    EXPECT_GE(kills, 2);
    EXPECT_EQ(wrong(), "0");
}

TEST_F(TheWorkforce, BlamesNoJobForTheDeathOfItsWorkers) {
    auto const id = us.write("effect.wanted");
    auto const key = fmt::format("buildplan:{{{}}}:webhook:{}", us.id.to_string(), id.to_string());
    auto const losses = [&] { return test_support::redis().ask("HGET " + key + " stc"); };
    orders.takes = 60s;
    for (int i = 0; i < 20 && losses() != "3"; ++i) {
        test_support::Forked worker(work_until_killed);
        std::this_thread::sleep_for(3s);
        worker.kill9();
    }
    EXPECT_EQ(losses(), "3");
    EXPECT_EQ(us.state(id), "owed");
    orders.takes = 0ms;
    test_support::Forked worker(work_until_killed);
    for (int i = 0; i < 2000 && us.state(id) != "done"; ++i) std::this_thread::sleep_for(10ms);
    worker.kill9();
    EXPECT_EQ(us.state(id), "done");
    EXPECT_EQ(wrong(), "0");
}

}  // namespace
}  // namespace buildplan::queue::testing
