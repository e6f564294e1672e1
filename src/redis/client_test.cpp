#include "redis/client.hpp"

#include <gtest/gtest.h>

#include "redis/test_loop.hpp"
#include "runtime/shards.hpp"

namespace buildplan::redis {
namespace {

using test_support::redis;

task<> set_and_get(Client& client, int i) {
    auto const key = "many:" + std::to_string(i);
    co_await client.command("SET", key, i);
    auto const got = co_await client.command("GET", key);
    EXPECT_EQ(got.as_integer(), i);
}

task<> many_callers(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    std::vector<task<>> callers;
    for (int i = 0; i < 1000; ++i) callers.push_back(set_and_get(*client, i));
    co_await together(loop, std::move(callers));
    co_await client->close();
}

TEST(Client, ManyCallersShareOneConnectionAndGetTheirOwnReplies) { run(many_callers); }

task<> hundred_thousand(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    std::vector<Command> commands;
    commands.reserve(100'000);
    for (int i = 0; i < 100'000; ++i) commands.push_back(Command("ECHO", i).within(20s));
    auto const replies = co_await client->pipeline(std::move(commands));
    bool in_order = replies.size() == 100'000;
    for (std::size_t i = 0; in_order && i < replies.size(); ++i)
        in_order = replies[i].as_integer() == static_cast<int>(i);
    EXPECT_TRUE(in_order);
    co_await client->close();
}

TEST(Client, AFlightOfAHundredThousandComesBackInOrder) { run(hundred_thousand); }

task<> errors(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    co_await client->command("SET", "text", "a");
    EXPECT_EQ(co_await outcome(*client, "INCR", "text"), "ERR");
    EXPECT_EQ(co_await outcome(*client, "LPUSH", "text", 1), "WRONGTYPE");
    std::vector<Command> commands{Command("LPUSH", "text", 1), Command("GET", "text")};
    auto const replies = co_await client->pipeline(std::move(commands));
    EXPECT_EQ(replies[0].error_code(), "WRONGTYPE");
    EXPECT_EQ(replies[1].as_text(), "a");
    std::string const big(3'000'000, 'x');
    co_await client->command("SET", "big", big);
    auto const got = co_await client->command("GET", "big");
    EXPECT_EQ(got.as_text(), big);
    co_await client->close();
}

TEST(Client, ErrorRepliesAreThrownOrComeInTheFlight) { run(errors); }

task<> transactions(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    co_await client->command("DEL", "n");
    std::vector<Command> commands{Command("INCR", "n"), Command("INCR", "n")};
    auto const replies = co_await client->transaction(std::move(commands));
    EXPECT_EQ(replies.size(), 2u);
    EXPECT_EQ(replies.at(1).as_integer(), 2);
    std::string code;
    try {
        std::vector<Command> bad{Command("INCR", "n"), Command("NOSUCH", "n")};
        co_await client->transaction(std::move(bad));
    } catch (ReplyError const& e) {
        code = e.code;
    }
    EXPECT_EQ(code, "ERR");
    EXPECT_EQ(co_await outcome(*client, "GET", "n"), "2");
    co_await client->close();
}

TEST(Client, ATransactionIsDoneWholeOrNotAtAll) { run(transactions); }

task<> give_up(Client& client, Command command, std::string expected) {
    EXPECT_EQ(co_await outcome(client, std::move(command)), expected);
}

task<> slow_server(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    std::vector<task<>> callers;
    callers.push_back(give_up(*client, busy().call({}, 30, "a"), "a"));
    callers.push_back(give_up(*client, busy().call({}, 60, "b").within(50ms), "timeout"));
    callers.push_back(give_up(*client, Command("ECHO", "c"), "c"));
    co_await together(loop, std::move(callers));
    EXPECT_TRUE(client->available());
    co_await client->close();
}

TEST(Client, ACommandThatIsTooSlowForItsCallerDisturbsNobodyElse) { run(slow_server); }

task<> caller_leaves(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    asio::cancellation_signal leave;
    bool gone = false;
    asio::co_spawn(
        loop.io(), client->command(busy().call({}, 30, "a")),
        asio::bind_cancellation_slot(leave.slot(), [&](std::exception_ptr error, Value) { gone = error != nullptr; }));
    std::vector<Command> three{Command("ECHO", 1), Command("ECHO", 2)};
    asio::cancellation_signal leave_too;
    bool gone_too = false;
    asio::co_spawn(loop.io(), client->pipeline(three),
                   asio::bind_cancellation_slot(leave_too.slot(), [&](std::exception_ptr error, std::vector<Value>) {
                       gone_too = error != nullptr;
                   }));
    co_await sleep_for(5ms);  // both are on their way, the server is busy
    leave.emit(asio::cancellation_type::terminal);
    leave_too.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(gone);
    EXPECT_TRUE(gone_too);
    EXPECT_EQ(co_await outcome(*client, "ECHO", "b"), "b");
    co_await client->close();
}

TEST(Client, ACallerThatLeavesDisturbsNobodyElse) { run(caller_leaves); }

task<> on_one_shard(Loop& loop, std::string url, Script const& script) {
    auto const client = co_await connect(loop, url);
    auto const key = "shard:" + std::to_string(loop.index());
    co_await client->command("DEL", key);
    for (int i = 1; i <= 200; ++i) {
        auto const count = co_await client->call(script, {key}, 1);
        EXPECT_EQ(count.as_integer(), i);
    }
    co_await client->close();
}

TEST(Client, EachShardHasOneAndTheyShareScripts) {
    Script const add("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    auto const url = redis().url();
    Shards shards(3, Log{});
    shards.start();
    shards.on_each([&](Loop& loop) { return on_one_shard(loop, url, add); });
}

std::int64_t calls_of(std::string_view command) {
    auto const stats = redis().ask("INFO commandstats");
    auto const at = stats.find("cmdstat_" + std::string(command) + ":calls=");
    return at == std::string::npos ? 0 : std::stoll(stats.substr(stats.find('=', at) + 1));
}

task<> increment(Client& client, Script const& add) { co_await client.call(add, {"{s}n"}, 1); }

task<> scripts(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    Script const add("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    co_await client->command("DEL", "{s}n");
    auto const evals = calls_of("eval");
    for (int round = 0; round < 2; ++round) {
        std::vector<Command> commands;
        for (int i = 0; i < 1000; ++i) commands.push_back(add.call({"{s}n"}, 1));
        auto const replies = co_await client->pipeline(std::move(commands));
        for (std::size_t i = 0; i < replies.size(); ++i)
            EXPECT_EQ(replies[i].as_integer(), round * 1000 + static_cast<int>(i) + 1);
        co_await client->command("SCRIPT", "FLUSH");
    }
    std::vector<task<>> callers;
    for (int i = 0; i < 100; ++i) callers.push_back(increment(*client, add));
    co_await together(loop, std::move(callers));
    co_await client->command("SCRIPT", "FLUSH");
    auto const last = co_await client->call(add, {"{s}n"}, 1);
    EXPECT_EQ(last.as_integer(), 2101);
    EXPECT_EQ(calls_of("eval") - evals, 4) << "the source goes once for each time that Redis forgot it";
    co_await client->close();
}

TEST(Client, AScriptGoesAsItsHashAndAsItsSourceOnlyWhereRedisLacksIt) { run(scripts); }

task<> pop(Blocking& blocking, std::string& popped) {
    Command const wait("BZPOPMIN", "z", 5);
    auto const reply = co_await blocking.command(wait, 5s);
    popped = reply[1].as_text();
}

task<> blocked(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    co_await client->command("DEL", "z");
    auto const blocking = client->blocking("z");
    std::string popped;
    loop.spawn("pop", pop(*blocking, popped));
    co_await wait_until([] { return redis().ask("INFO clients").contains("blocked_clients:1"); }, "nobody blocks");
    EXPECT_EQ(co_await outcome(*client, "ZADD", "z", 1, "member"), "1") << "others are not held up";
    co_await wait_until([&] { return !popped.empty(); }, "nothing popped");
    EXPECT_EQ(popped, "member");

    asio::cancellation_signal leave;
    bool gone = false;
    asio::co_spawn(loop.io(), pop(*blocking, popped),
                   asio::bind_cancellation_slot(leave.slot(), [&](std::exception_ptr) { gone = true; }));
    co_await wait_until([] { return redis().ask("INFO clients").contains("blocked_clients:1"); }, "nobody blocks");
    leave.emit(asio::cancellation_type::terminal);
    co_await wait_until([] { return redis().ask("INFO clients").contains("blocked_clients:0"); },
                        "the server still waits");
    EXPECT_TRUE(gone);
    co_await client->close();
}

TEST(Client, ABlockingCommandHasAConnectionOfItsOwnAndEndsWithItsCaller) { run(blocked); }

task<> greeting(Loop& loop) {
    (void)redis().ask("ACL SETUSER somebody on >secret ~* &* +@all");
    auto options = Options::parse(redis().url());
    options.user = "somebody";
    options.password = "secret";
    options.database = 2;
    options.client_name = "greeter";
    options.resp3 = true;
    auto const client = Client::make(loop, options);
    EXPECT_TRUE(co_await client->connected(5s));
    auto const info = co_await outcome(*client, "CLIENT", "INFO");
    for (auto const* part : {"user=somebody", "db=2", "name=greeter", "resp=3"})
        EXPECT_TRUE(info.contains(part)) << info;
    co_await client->command("HSET", "h", "a", "b");
    auto const hash = co_await client->command("HGETALL", "h");
    EXPECT_EQ(hash.kind(), Value::Kind::map);
    co_await client->close();

    options.password = "wrong";
    auto const stranger = Client::make(loop, options);
    EXPECT_FALSE(co_await stranger->connected(100ms));
    co_await stranger->close();
}

TEST(Client, SaysWhoItIsWhenItConnects) { run(greeting); }

task<> full(Loop& loop) {
    auto options = Options::parse(redis().url());
    options.max_in_flight = 10;
    auto const client = Client::make(loop, options);
    co_await client->connected(5s);
    std::vector<std::string> outcomes;
    std::vector<task<>> callers;
    for (int i = 0; i < 25; ++i) callers.push_back(note(*client, Command("ECHO", i), outcomes));
    co_await together(loop, std::move(callers));
    EXPECT_EQ(std::ranges::count(outcomes, "refused"), 15);
    co_await client->close();
}

TEST(Client, RefusesMoreThanItCanHold) { run(full); }

task<> closing(Loop& loop) {
    auto const client = co_await connect(loop, redis().url());
    std::vector<std::string> outcomes;
    loop.spawn("caller", note(*client, busy().call({}, 30, "done"), outcomes));
    co_await sleep_for(2ms);
    co_await client->close();
    EXPECT_EQ(outcomes, std::vector<std::string>{"done"});
    EXPECT_EQ(co_await outcome(*client, "PING"), "refused");
}

TEST(Client, CloseWaitsForWhatIsOnItsWay) { run(closing); }

}  // namespace
}  // namespace buildplan::redis
