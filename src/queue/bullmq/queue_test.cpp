// What an operator sees and does; the details are compared with the npm package in tests/interop/bullmq.
#include "queue/bullmq/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/bullmq/events.hpp"
#include "queue/bullmq/flow.hpp"
#include "queue/bullmq/job_scheduler.hpp"
#include "queue/bullmq/test_queue.hpp"
#include "queue/bullmq/worker.hpp"

namespace buildplan::queue::bullmq {
namespace {

task<> defaults(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue());
    NewJob job{.name = "n"}, own{.name = "n"};
    own.options.attempts = 7;
    auto const id = co_await queue.add(job), other = co_await queue.add(own);
    auto const stored = co_await queue.job(id), changed = co_await queue.job(other);
    EXPECT_EQ(stored->options(), contract_options());
    EXPECT_EQ(changed->options().attempts, 7);
    EXPECT_EQ(changed->options().remove_on_fail, Keep::last(50));
    co_await client->close();
}

TEST(Queue, JobsHaveTheContractsDefaultsUnlessTheySayOtherwise) {
    run([](Loop& loop) { return defaults(loop); });
}

task<> bulk(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue());
    std::vector<NewJob> jobs;
    for (int i = 0; i < 5; ++i) jobs.push_back({.name = "n" + std::to_string(i)});
    auto const ids = co_await queue.add(std::move(jobs));
    EXPECT_THAT(ids, testing::ElementsAre("1", "2", "3", "4", "5"));
    auto const found = co_await queue.jobs({State::waiting}, {.first = 1, .last = 2, .ascending = true});
    EXPECT_EQ(found.size(), 2U);
    EXPECT_EQ(found.at(0).name, "n1");
    std::vector<NewJob> bad;
    bad.push_back({.name = "fine"});
    bad.push_back({.name = "bad"});
    bad[1].options.job_id = "12";
    EXPECT_THROW(co_await queue.add(std::move(bad)), std::invalid_argument);
    auto const counts = co_await queue.counts({State::waiting});
    EXPECT_EQ(counts.at(State::waiting), 5) << "none of a flight that is refused is added";
    co_await client->close();
}

TEST(Queue, JobsAreAddedInOneFlightOrNotAtAll) {
    run([](Loop& loop) { return bulk(loop); });
}

task<> refusals(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue());
    try {
        co_await queue.promote("17");
        ADD_FAILURE() << "what is not there was promoted";
    } catch (Refused const& refused) {
        EXPECT_EQ(refused.why, Refusal::not_in_state);
    }
    NewJob job{.name = "n"};
    auto const id = co_await queue.add(job);
    EXPECT_THROW(co_await queue.promote(id), Refused);
    EXPECT_THROW(co_await queue.retry(id), Refused);
    EXPECT_EQ(co_await queue.state("17"), State::unknown);
    auto const nothing = co_await queue.job("17");
    EXPECT_FALSE(nothing.has_value());
    co_await client->close();
}

TEST(Queue, WhatCannotBeDoneIsRefusedWithItsReason) {
    run([](Loop& loop) { return refusals(loop); });
}

task<> isolated(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue mine(*client, new_queue()), theirs(*client, new_queue());
    NewJob job{.name = "n"};
    co_await mine.add(job);
    auto const counts = co_await theirs.counts({State::waiting});
    EXPECT_EQ(counts.at(State::waiting), 0);
    co_await theirs.obliterate(true);
    auto const left = co_await mine.counts({State::waiting});
    EXPECT_EQ(left.at(State::waiting), 1);
    co_await client->close();
}

TEST(Queue, OfAnotherOrganizationIsAnotherQueue) {
    run([](Loop& loop) { return isolated(loop); });
}

task<> finish_soon(Loop* loop, redis::Client* client, QueueKeys keys) {
    static_cast<void>(loop);
    co_await sleep_for(50ms);
    Worker worker(*loop, *client, std::move(keys), answer_ping);
    worker.start();
    co_await sleep_for(500ms);
    co_await worker.stop(1s);
}

task<> waited_for(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue());
    auto const never = co_await queue.ping();
    auto const begin = std::chrono::steady_clock::now();
    auto const late = co_await wait_until_finished(queue, never, 60ms);
    EXPECT_EQ(late.state, State::waiting);
    EXPECT_GE(redis::milliseconds_since(begin), 60);
    loop.spawn("worker", finish_soon(&loop, client.get(), queue.keys()));
    auto const done = co_await wait_until_finished(queue, never, 10s);
    EXPECT_EQ(done.state, State::completed);
    EXPECT_EQ(done.value, R"({"pong":true})");
    auto const again = co_await wait_until_finished(queue, never, 10s);
    EXPECT_EQ(again.value, done.value) << "it is finished already";
    auto const missing = co_await wait_until_finished(queue, "nobody", 10s);
    EXPECT_EQ(missing.state, State::unknown);
    co_await sleep_for(600ms);
    co_await client->close();
}

TEST(Events, AJobIsWaitedFor) {
    run([](Loop& loop) { return waited_for(loop); });
}

task<> read_on(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue());
    Events events(*client, queue.keys());
    NewJob job{.name = "before"};
    co_await queue.add(job);
    co_await events.begin();
    job.name = "after";
    co_await queue.add(job);
    auto const first = co_await events.next(1s);
    EXPECT_EQ(first.size(), 2U);
    EXPECT_EQ(first.at(0).name, "added");
    EXPECT_EQ(first.at(0)["name"], "after");
    EXPECT_EQ(first.at(1).name, "waiting");
    EXPECT_EQ(first.at(1)["nothing"], "");
    auto const none = co_await events.next(20ms);
    EXPECT_TRUE(none.empty());
    co_await client->close();
}

TEST(Events, AreReadOnFromWhereOneWas) {
    run([](Loop& loop) { return read_on(loop); });
}

task<> wrong_flows(Loop& loop) {
    auto const client = co_await test_client(loop);
    auto const keys = new_queue();
    FlowJob deduplicated{.queue = keys, .job = {.name = "p"}};
    deduplicated.job.options.deduplication = Deduplication{.id = "d"};
    deduplicated.children.push_back({.queue = keys, .job = {.name = "c"}});
    EXPECT_THROW(co_await add_flow(*client, std::move(deduplicated)), std::invalid_argument);
    FlowJob orphan{.queue = keys, .job = {.name = "o"}};
    orphan.job.options.parent = Parent{.id = "nobody", .queue = std::string(keys.qualified_name())};
    EXPECT_THROW(co_await add_flow(*client, std::move(orphan)), Refused);
    co_await client->close();
}

TEST(Flow, WithoutSenseIsRefused) {
    run([](Loop& loop) { return wrong_flows(loop); });
}

task<> wrong_schedulers(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue const queue(*client, new_queue());
    auto const refused = [](Queue of, Repeat repeat) -> task<bool> {
        try {
            co_await upsert_scheduler(of, {}, "s", std::move(repeat), {.name = "n"});
        } catch (std::invalid_argument const&) {
            co_return true;
        }
        co_return false;
    };
    EXPECT_TRUE(co_await refused(queue, {}));
    EXPECT_TRUE(co_await refused(queue, {.pattern = "@daily", .every = 5s}));
    EXPECT_TRUE(co_await refused(queue, {.pattern = "61 * * * *"}));
    EXPECT_TRUE(co_await refused(queue, {.pattern = "@daily", .time_zone = "Mars/Olympus"}));
    EXPECT_TRUE(co_await refused(queue, {.every = 0ms}));
    EXPECT_TRUE(co_await refused(queue, {.every = 5s, .end = moment_now() - 1h}));
    auto const none = co_await get_scheduler(queue, "s");
    EXPECT_FALSE(none.has_value());
    co_await client->close();
}

TEST(JobScheduler, WithoutSenseIsRefused) {
    run([](Loop& loop) { return wrong_schedulers(loop); });
}

task<> scheduler(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue());
    Worker worker(loop, *client, queue.keys(), answer_ping);
    worker.start();
    auto const first = co_await upsert_scheduler(queue, {}, "s", {.every = 50ms}, {.name = "ping"});
    EXPECT_TRUE(first && first->starts_with("repeat:s:"));
    for (int i = 0; i < 400; ++i) {
        auto const counts = co_await queue.counts({State::completed});
        if (counts.at(State::completed) >= 3) break;
        co_await sleep_for(10ms);
    }
    auto const found = co_await get_scheduler(queue, "s");
    EXPECT_GE(found->count, 3);
    EXPECT_EQ(found->repeat.every, 50ms);
    auto const all = co_await list_schedulers(queue);
    EXPECT_EQ(all.size(), 1U);
    EXPECT_TRUE(co_await remove_scheduler(queue, "s"));
    EXPECT_FALSE(co_await remove_scheduler(queue, "s"));
    EXPECT_EQ(co_await count_schedulers(queue), 0);
    co_await worker.stop(1s);
    co_await client->close();
}

TEST(JobScheduler, AddsJobAfterJobUntilItIsRemoved) {
    run([](Loop& loop) { return scheduler(loop); });
}

}  // namespace
}  // namespace buildplan::queue::bullmq
