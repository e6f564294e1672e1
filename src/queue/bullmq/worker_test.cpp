#include "queue/bullmq/worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/bullmq/test_queue.hpp"

namespace buildplan::queue::bullmq {
namespace {

JobOptions quick(std::int64_t attempts = 1) {
    JobOptions options;
    options.attempts = attempts;
    options.backoff = Backoff{.type = "fixed", .delay = 20ms};
    return options;
}

task<> wait_state(Queue queue, std::string id, State wanted) {
    auto const until = std::chrono::steady_clock::now() + 10s;
    for (;;) {
        auto const state = co_await queue.state(id);
        if (state == wanted) co_return;
        if (std::chrono::steady_clock::now() > until) {
            ADD_FAILURE() << id << " is " << to_string(state) << " and not " << to_string(wanted);
            throw std::runtime_error("the wrong state");
        }
        co_await sleep_for(2ms);
    }
}

task<> ping(Loop& loop) {
    auto const client = co_await test_client(loop);
    for (auto const name : queues::all) {
        Queue queue(*client, new_queue(name));
        Worker worker(loop, *client, queue.keys(), answer_ping);
        worker.start();
        auto const id = co_await queue.ping();
        co_await wait_state(queue, id, State::completed);
        auto const outcome = co_await queue.outcome(id);
        EXPECT_EQ(outcome.value, R"({"pong":true})");
        co_await worker.stop(1s);
    }
    co_await client->close();
}

TEST(Worker, APingOnEveryQueueIsAnswered) {
    run([](Loop& loop) { return ping(loop); });
}

task<Result> double_it(Run& run) {
    co_await sleep_for(1ms);
    co_return Completed{std::to_string(2 * std::stoi(run.job().data))};
}

task<> many(Loop& loop, unsigned concurrency) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    Worker worker(loop, *client, queue.keys(), double_it, {.concurrency = concurrency});
    worker.start();
    std::vector<NewJob> jobs;
    for (int i = 0; i < 500; ++i) jobs.push_back({.name = "n", .data = std::to_string(i)});
    auto const ids = co_await queue.add(std::move(jobs));
    auto const keys = queue.keys();
    for (;;) {
        auto const done = co_await length(*client, keys, QueueKeys::completed);
        if (done == 500) break;
        co_await sleep_for(5ms);
    }
    for (std::size_t i = 0; i < ids.size(); i += 50) {
        auto const outcome = co_await queue.outcome(ids[i]);
        EXPECT_EQ(outcome.value, std::to_string(2 * i));
    }
    co_await worker.stop(1s);
    auto const left = co_await length(*client, keys, QueueKeys::active);
    EXPECT_EQ(left, 0);
    co_await client->close();
}

TEST(Worker, DoesEachJobOnce) {
    for (unsigned const concurrency : {1U, 7U, 100U}) run([&](Loop& loop) { return many(loop, concurrency); });
}

task<Result> fails(Run& run) {
    if (run.job().name == "never again") throw Unrecoverable("no");
    if (run.job().name == "third time" && run.job().attempts_made == 2) co_return Completed{"3"};
    throw std::runtime_error("not yet");
}

task<> retries(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick(3));
    Worker worker(loop, *client, queue.keys(), fails, {.concurrency = 3});
    worker.start();
    NewJob third{.name = "third time"}, last{.name = "always"}, once{.name = "never again"};
    auto const good = co_await queue.add(third);
    auto const bad = co_await queue.add(last);
    auto const never = co_await queue.add(once);
    co_await wait_state(queue, good, State::completed);
    co_await wait_state(queue, bad, State::failed);
    co_await wait_state(queue, never, State::failed);
    auto const failed = co_await queue.job(bad);
    EXPECT_EQ(failed->attempts_made, 3);
    EXPECT_EQ(failed->failed_reason, "not yet");
    EXPECT_EQ(failed->stacktrace, R"(["Error: not yet","Error: not yet","Error: not yet"])");
    auto const one = co_await queue.job(never);
    EXPECT_EQ(one->attempts_made, 1);
    co_await worker.stop(1s);
    co_await client->close();
}

TEST(Worker, TriesAgainWhatFailedAsOftenAsTheJobSays) {
    run([](Loop& loop) { return retries(loop); });
}

task<Result> waits(Run& run) {
    co_await run.progress("50");
    co_await run.log("begun");
    co_await sleep_for(20s);
    co_return Completed{};
}

task<> wait_running(Worker const& worker, std::size_t count) {
    co_await wait_until([&] { return worker.running() == count; }, "the worker takes no job");
}

task<> cancelled(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick(3));
    Worker worker(loop, *client, queue.keys(), waits, {.concurrency = 2});
    worker.start();
    NewJob job{.name = "n"};
    auto const first = co_await queue.add(job), second = co_await queue.add(job);
    co_await wait_running(worker, 2);
    co_await sleep_for(20ms);
    EXPECT_FALSE(worker.cancel("17", "?", AfterCancel::fail));
    EXPECT_TRUE(worker.cancel(first, "nobody wants it", AfterCancel::fail));
    co_await wait_state(queue, first, State::failed);
    auto const failed = co_await queue.job(first);
    EXPECT_EQ(failed->failed_reason, "nobody wants it");
    EXPECT_EQ(failed->progress, "50");
    auto const logs = co_await queue.logs(first);
    EXPECT_THAT(logs.lines, testing::ElementsAre("begun"));
    EXPECT_TRUE(worker.cancel(second, "again", AfterCancel::retry));
    co_await wait_until([&] { return worker.running() == 0; }, "it is not cancelled");
    auto const state = co_await queue.job(second);
    EXPECT_EQ(state->attempts_made, 1);
    co_await worker.stop(0ms);
    co_await client->close();
}

TEST(Worker, CancelsAJobForGoodOrForAnotherTry) {
    run([](Loop& loop) { return cancelled(loop); });
}

task<> handed_back(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    Worker worker(loop, *client, queue.keys(), waits, {.concurrency = 2});
    worker.start();
    JobOptions prioritised;
    prioritised.priority = 3;
    NewJob job{.name = "n"}, important{.name = "p", .options = prioritised};
    auto const plain = co_await queue.add(job), other = co_await queue.add(important);
    co_await wait_running(worker, 2);
    auto const begin = std::chrono::steady_clock::now();
    co_await worker.stop(50ms);
    EXPECT_LT(redis::milliseconds_since(begin), 400);
    EXPECT_EQ(co_await queue.state(plain), State::waiting);
    EXPECT_EQ(co_await queue.state(other), State::prioritized);
    auto const back = co_await queue.job(plain);
    EXPECT_EQ(back->attempts_made, 0);
    co_await client->close();
}

TEST(Worker, WhenItStopsHandsBackWhatIsNotFinished) {
    run([](Loop& loop) { return handed_back(loop); });
}

task<Result> takes_its_time(Run& run) {
    co_await sleep_for(std::chrono::milliseconds(std::stoi(run.job().data)));
    co_return Completed{"1"};
}

task<> finishing(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    Worker worker(loop, *client, queue.keys(), takes_its_time);
    worker.start();
    NewJob job{.name = "n", .data = "100"};
    auto const id = co_await queue.add(job), next = co_await queue.add(job);
    co_await wait_running(worker, 1);
    co_await worker.stop(5s);
    EXPECT_EQ(co_await queue.state(id), State::completed);
    EXPECT_EQ(co_await queue.state(next), State::waiting) << "it takes no more";
    co_await client->close();
}

TEST(Worker, WhenItStopsFinishesWhatIsDoneInTime) {
    run([](Loop& loop) { return finishing(loop); });
}

task<> locks(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    WorkerOptions const options{.concurrency = 5, .lock_duration = 100ms, .stalled = {.interval = 20ms}};
    Worker worker(loop, *client, queue.keys(), takes_its_time, options);
    worker.start();
    std::vector<NewJob> jobs;
    for (int i = 0; i < 5; ++i) jobs.push_back({.name = "n", .data = "600"});
    auto const ids = co_await queue.add(std::move(jobs));
    for (auto const& id : ids) {
        co_await wait_state(queue, id, State::completed);
        auto const job = co_await queue.job(id);
        EXPECT_EQ(job->attempts_started, 1);
        EXPECT_EQ(job->stalled, 0);
    }
    co_await worker.stop(1s);
    co_await client->close();
}

TEST(Worker, KeepsTheLocksOfJobsThatTakeLongerThanTheyHold) {
    run([](Loop& loop) { return locks(loop); });
}

task<> lost(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    WorkerOptions const options{.lock_duration = 100ms};
    Worker worker(loop, *client, queue.keys(), waits, options);
    worker.start();
    NewJob job{.name = "n"};
    auto const id = co_await queue.add(job);
    co_await wait_running(worker, 1);
    co_await sleep_for(20ms);
    co_await client->command("SET", queue.keys().job(id, "lock"), "somebody else's");
    co_await wait_until([&] { return worker.running() == 0; }, "it goes on without its lock");
    EXPECT_EQ(co_await queue.state(id), State::active) << "it is somebody else's";
    co_await worker.stop(0ms);
    co_await client->close();
}

TEST(Worker, StopsAHandlerWhoseLockIsLost) {
    run([](Loop& loop) { return lost(loop); });
}

task<Result> never_called(Run&) {
    ADD_FAILURE() << "it is called";
    co_return Completed{};
}

task<> stalled(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    NewJob job{.name = "n", .data = "1"};
    auto const id = co_await queue.add(job);
    Claim const dead{.token = "dead", .lock_duration = 10ms};
    auto const take_it = move_to_active_command(queue.keys(), dead, moment_now());
    co_await client->command(take_it);
    WorkerOptions const options{.stalled = {.max_count = 1, .interval = 30ms}, .idle = 50ms};
    Worker worker(loop, *client, queue.keys(), takes_its_time, options);
    worker.start();
    co_await wait_state(queue, id, State::completed);
    co_await worker.stop(1s);

    auto const hopeless = co_await queue.add(job);
    WorkerOptions const strict{.stalled = {.max_count = 0, .interval = 30ms}, .idle = 50ms};
    co_await client->command(take_it);
    Worker other(loop, *client, queue.keys(), never_called, strict);
    other.start();
    co_await wait_state(queue, hopeless, State::failed);
    auto const failed = co_await queue.job(hopeless);
    EXPECT_EQ(failed->failed_reason, "job stalled more than allowable limit");
    co_await other.stop(1s);
    co_await client->close();
}

TEST(Worker, TakesOverJobsWhoseWorkerIsGoneAndFailsThoseThatKillIt) {
    run([](Loop& loop) { return stalled(loop); });
}

task<Result> later(Run& run) {
    if (run.job().attempts_started == 1) co_return Later{50ms};
    if (run.job().attempts_started == 2) co_return Limited{50ms};
    co_return Completed{"1"};
}

task<> put_off(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    Worker worker(loop, *client, queue.keys(), later);
    worker.start();
    NewJob job{.name = "n"};
    auto const begin = std::chrono::steady_clock::now();
    auto const id = co_await queue.add(job);
    co_await wait_state(queue, id, State::completed);
    EXPECT_GE(redis::milliseconds_since(begin), 95);
    auto const done = co_await queue.job(id);
    EXPECT_EQ(done->attempts_made, 1);
    EXPECT_EQ(done->attempts_started, 3);
    co_await worker.stop(1s);
    co_await client->close();
}

TEST(Worker, AHandlerPutsAJobOffOrLetsTheQueueRest) {
    run([](Loop& loop) { return put_off(loop); });
}

task<> limited(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    WorkerOptions const options{.concurrency = 10, .limit = RateLimit{.max = 2, .duration = 100ms}};
    Worker worker(loop, *client, queue.keys(), takes_its_time, options);
    std::vector<NewJob> jobs;
    for (int i = 0; i < 6; ++i) jobs.push_back({.name = "n", .data = "1"});
    auto const ids = co_await queue.add(std::move(jobs));
    auto const begin = std::chrono::steady_clock::now();
    worker.start();
    for (auto const& id : ids) co_await wait_state(queue, id, State::completed);
    EXPECT_GE(redis::milliseconds_since(begin), 190) << "two at a time";
    EXPECT_LE(redis::milliseconds_since(begin), 2000);
    co_await worker.stop(1s);
    co_await client->close();
}

TEST(Worker, KeepsToTheRateLimit) {
    run([](Loop& loop) { return limited(loop); });
}

task<> paused(Loop& loop) {
    auto const client = co_await test_client(loop);
    Queue queue(*client, new_queue(), quick());
    Worker worker(loop, *client, queue.keys(), takes_its_time);
    worker.start();
    co_await queue.pause();
    NewJob job{.name = "n", .data = "1"};
    auto const id = co_await queue.add(job);
    co_await sleep_for(100ms);
    EXPECT_EQ(co_await queue.state(id), State::waiting);
    EXPECT_TRUE(co_await queue.is_paused());
    co_await queue.resume();
    co_await wait_state(queue, id, State::completed);
    worker.pause();
    auto const second = co_await queue.add(job);
    co_await sleep_for(100ms);
    EXPECT_EQ(co_await queue.state(second), State::waiting);
    worker.resume();
    co_await wait_state(queue, second, State::completed);
    co_await worker.stop(1s);
    co_await client->close();
}

TEST(Worker, RestsWhileTheQueueOrItselfIsPaused) {
    run([](Loop& loop) { return paused(loop); });
}

task<> restarted(Loop& loop) {
    auto server = test_support::start_redis();
    auto const client = co_await redis::connect(loop, server->url());
    Queue queue(*client, new_queue(), quick());
    WorkerOptions const options{.concurrency = 4, .idle = 100ms};
    Worker worker(loop, *client, queue.keys(), takes_its_time, options);
    worker.start();
    std::vector<NewJob> jobs;
    for (int i = 0; i < 200; ++i) jobs.push_back({.name = "n", .data = "5"});
    auto const ids = co_await queue.add(std::move(jobs));
    auto const keys = queue.keys();
    for (int kills = 0; kills < 3; ++kills) {
        co_await sleep_for(40ms);
        server->kill9();
        server->restart();
        co_await client->connected(5s);
    }
    co_await sleep_for(50ms);
    co_await client->connected(5s);
    for (auto const& id : ids) co_await wait_state(queue, id, State::completed);
    co_await worker.stop(1s);
    co_await client->close();
}

TEST(Worker, GoesOnWhenRedisIsBackAndLeavesNoJobBehind) {
    run([](Loop& loop) { return restarted(loop); });
}

}  // namespace
}  // namespace buildplan::queue::bullmq
