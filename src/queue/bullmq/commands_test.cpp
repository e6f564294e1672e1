// The commands alone, as a scheduler of many queues uses them: one client, no worker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/bullmq/test_queue.hpp"

namespace buildplan::queue::bullmq {
namespace {

NewJob job(std::string name, JobOptions options = {}) {
    return {.name = std::move(name), .data = R"({"n":1})", .options = std::move(options)};
}

task<> round_trip(Loop& loop) {
    auto const client = co_await test_client(loop);
    auto const keys = new_queue();
    auto options = contract_options();
    auto const id = co_await add(*client, keys, job("build", options));
    EXPECT_EQ(id, "1");

    auto const taken = co_await take(*client, keys, "token");
    EXPECT_TRUE(taken.job.has_value());
    EXPECT_EQ(taken.job->id, "1");
    EXPECT_EQ(taken.job->name, "build");
    EXPECT_EQ(taken.job->data, R"({"n":1})");
    EXPECT_EQ(taken.job->attempts_started, 1);
    EXPECT_TRUE(taken.job->processed_on.has_value());
    auto const stored = taken.job->options();
    EXPECT_EQ(stored, options);

    Claim const claim{.token = "token"};
    auto reply = co_await client->command(
        complete_command(keys, *taken.job, stored, R"({"pong":true})", claim, {}, moment_now()));
    auto const next = read_finished(std::move(reply), id);
    EXPECT_FALSE(next.job.has_value());
    auto fields = co_await client->command("HGETALL", keys.job(id));
    auto const done = read_job(id, std::move(fields));
    EXPECT_EQ(done->return_value, R"({"pong":true})");
    EXPECT_EQ(done->attempts_made, 1);
    EXPECT_TRUE(done->finished_on.has_value());
    co_await client->close();
}

TEST(Commands, AJobIsAddedTakenAndCompleted) {
    run([](Loop& loop) { return round_trip(loop); });
}

task<> fetch_next(Loop& loop) {
    auto const client = co_await test_client(loop);
    auto const keys = new_queue();
    for (int i = 0; i < 3; ++i) co_await add(*client, keys, job("n" + std::to_string(i)));
    Claim const claim{.token = "t", .worker = "w"};
    auto next = co_await take(*client, keys, "t");
    std::vector<std::string> order;
    while (next.job) {
        order.push_back(next.job->name);
        auto reply = co_await client->command(
            complete_command(keys, *next.job, next.job->options(), "1", claim, {.fetch_next = true}, moment_now()));
        auto const id = next.job->id;
        next = read_finished(std::move(reply), id);
        if (next.job) EXPECT_EQ(next.job->processed_by, "w");
    }
    EXPECT_THAT(order, testing::ElementsAre("n0", "n1", "n2"));
    co_await client->close();
}

TEST(Commands, FinishingTakesTheNextInTheSameRoundTrip) {
    run([](Loop& loop) { return fetch_next(loop); });
}

task<> order(Loop& loop) {
    auto const client = co_await test_client(loop);
    auto const keys = new_queue();
    JobOptions first, second, last;
    first.priority = 1;
    second.priority = 2;
    last.lifo = true;
    co_await add(*client, keys, job("second a", second));
    co_await add(*client, keys, job("first", first));
    co_await add(*client, keys, job("second b", second));
    co_await add(*client, keys, job("plain"));
    co_await add(*client, keys, job("lifo", last));
    JobOptions later;
    later.delay = 300ms;
    auto const due = moment_now() + 300ms;
    co_await add(*client, keys, job("delayed", later));
    std::vector<std::string> names;
    for (int i = 0; i < 5; ++i) {
        auto const next = co_await take(*client, keys, "t" + std::to_string(i));
        names.push_back(next.job ? next.job->name : "none");
    }
    EXPECT_THAT(names, testing::ElementsAre("lifo", "plain", "first", "second a", "second b"));
    auto const none = co_await take(*client, keys, "t");
    EXPECT_FALSE(none.job.has_value());
    EXPECT_GE(none.delayed_until, due);
    EXPECT_LE(none.delayed_until, due + 200ms);
    co_await sleep_for(none.delayed_until - moment_now() + 5ms);
    auto const delayed = co_await take(*client, keys, "t");
    EXPECT_TRUE(delayed.job && delayed.job->name == "delayed");
    co_await client->close();
}

TEST(Commands, JobsComeInTheOrderOfTheirOptions) {
    run([](Loop& loop) { return order(loop); });
}

task<> lost_lock(Loop& loop) {
    auto const client = co_await test_client(loop);
    auto const keys = new_queue();
    co_await add(*client, keys, job("a"));
    auto const taken = co_await take(*client, keys, "mine");
    Claim const other{.token = "other"};
    auto reply = co_await client->command(complete_command(keys, *taken.job, {}, "1", other, {}, moment_now()));
    try {
        read_finished(std::move(reply), "1");
        ADD_FAILURE() << "it was finished under another's lock";
    } catch (Refused const& refused) {
        EXPECT_EQ(refused.why, Refusal::lock_mismatch);
        EXPECT_TRUE(refused.is_lost());
        EXPECT_STREQ(refused.what(), "finishing 1: somebody else holds the lock of the job (-6)");
    }
    std::vector<Lock> const locks{{.job_id = "1", .token = "mine"}, {.job_id = "2", .token = "mine"}};
    auto failed = co_await client->command(extend_locks_command(keys, locks, 30s));
    EXPECT_THAT(read_ids(std::move(failed)), testing::ElementsAre("2"));
    co_await client->command("DEL", keys.job("1", "lock"));
    Claim const mine{.token = "mine"};
    reply = co_await client->command(complete_command(keys, *taken.job, {}, "1", mine, {}, moment_now()));
    EXPECT_THROW(read_finished(std::move(reply), "1"), Refused);
    co_await client->close();
}

TEST(Commands, WithoutItsLockAJobIsNotFinished) {
    run([](Loop& loop) { return lost_lock(loop); });
}

task<> stalled(Loop& loop) {
    auto const client = co_await test_client(loop);
    auto const keys = new_queue();
    co_await add(*client, keys, job("a"));
    Claim const claim{.token = "t", .lock_duration = 20ms};
    co_await client->command(move_to_active_command(keys, claim, moment_now()));
    Stalled const how{.max_count = 1, .interval = 1ms};
    auto first = co_await client->command(stalled_command(keys, how, moment_now()));
    EXPECT_THAT(read_ids(std::move(first)), testing::IsEmpty()) << "it is only marked";
    co_await sleep_for(40ms);
    auto second = co_await client->command(stalled_command(keys, how, moment_now()));
    EXPECT_THAT(read_ids(std::move(second)), testing::ElementsAre("1"));
    auto const again = co_await take(*client, keys, "u");
    EXPECT_TRUE(again.job.has_value());
    EXPECT_EQ(again.job->stalled, 1);
    EXPECT_EQ(again.job->attempts_started, 2);
    co_await client->close();
}

TEST(Commands, AJobWhoseWorkerIsGoneComesBack) {
    run([](Loop& loop) { return stalled(loop); });
}

task<> given_back(Loop& loop) {
    auto const client = co_await test_client(loop);
    auto const keys = new_queue();
    JobOptions prioritised;
    prioritised.priority = 7;
    co_await add(*client, keys, job("a", prioritised));
    auto const taken = co_await take(*client, keys, "t");
    auto const replies = co_await client->pipeline(give_back_commands(keys, *taken.job, "t"));
    require_done(replies.at(0), "giving back", "1");
    auto const waiting = co_await length(*client, keys, QueueKeys::prioritized);
    EXPECT_EQ(waiting, 1);
    auto const marked = co_await length(*client, keys, QueueKeys::marker);
    EXPECT_EQ(marked, 1) << "or idle workers sleep on";
    auto const again = co_await take(*client, keys, "u");
    EXPECT_EQ(again.job->attempts_made, 0);
    co_await client->close();
}

TEST(Commands, APrioritisedJobThatIsGivenBackWakesAWorker) {
    run([](Loop& loop) { return given_back(loop); });
}

TEST(RetryDelay, IsTwiceAsLongEachTime) {
    auto const options = contract_options();
    EXPECT_EQ(retry_delay(options, 0), 2000ms);
    EXPECT_EQ(retry_delay(options, 1), 4000ms);
    EXPECT_EQ(retry_delay(options, 2), std::nullopt);
    EXPECT_EQ(retry_delay({}, 0), std::nullopt) << "one attempt is all";
    auto fixed = options;
    fixed.backoff = Backoff{.type = "fixed", .delay = 70ms};
    EXPECT_EQ(retry_delay(fixed, 1), 70ms);
    fixed.backoff->jitter = 0.5;
    for (int i = 0; i < 100; ++i) {
        EXPECT_GE(*retry_delay(fixed, 1), 35ms);
        EXPECT_LE(*retry_delay(fixed, 1), 70ms);
    }
    fixed.backoff->type = "own";
    EXPECT_THROW(retry_delay(fixed, 1), std::invalid_argument);
}

TEST(AddStack, KeepsTheLastEntries) {
    JobOptions options;
    auto const two = add_stack(add_stack("", "a", options), "b\n", options);
    EXPECT_EQ(two, R"(["a","b\n"])");
    options.stack_trace_limit = 2;
    EXPECT_EQ(add_stack(two, "c", options), R"(["b\n","c"])");
    options.stack_trace_limit = 0;
    EXPECT_EQ(add_stack(two, "c", options), "[]");
    EXPECT_EQ(add_stack("no json", "c", {}), R"(["c"])");
}

TEST(Check, RefusesWhatBullmqRefuses) {
    auto const refused = [](auto change) {
        JobOptions options;
        change(options);
        EXPECT_THROW(check(options, 100), std::invalid_argument);
    };
    refused([](auto& o) { o.job_id = "17"; });
    refused([](auto& o) { o.job_id = ""; });
    refused([](auto& o) { o.job_id = "a:b"; });
    refused([](auto& o) { o.job_id = "0:a:b"; });
    refused([](auto& o) { o.priority = 2'097'152; });
    refused([](auto& o) { o.size_limit = 99; });
    refused([](auto& o) { o.deduplication.emplace(); });
    refused([](auto& o) { o.backoff = Backoff{.jitter = 1.5}; });
    refused([](auto& o) { o.delay = -1ms; });
    JobOptions good;
    good.job_id = "007";
    good.size_limit = 100;
    good.priority = 2'097'151;
    EXPECT_NO_THROW(check(good, 100));
}

}  // namespace
}  // namespace buildplan::queue::bullmq
