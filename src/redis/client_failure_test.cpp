// Servers that die, hang, are slow or are none.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/write.hpp>

#include "redis/client.hpp"
#include "redis/test_loop.hpp"

namespace buildplan::redis {
namespace {

using test_support::start_redis;

task<> fly(Client& client, bool& lost) {
    std::vector<Command> commands;
    for (int i = 0; i < 1000; ++i) commands.push_back(Command("BLPOP", "nothing", 0).within(20s));
    try {
        co_await client.pipeline(std::move(commands));
    } catch (Unavailable const&) {
        lost = true;
    }
}

task<> killed(Loop& loop, test_support::RedisServer& server) {
    auto const client = co_await connect(loop, server.url(), "killed");
    co_await client->command("SET", "k", "kept");
    std::vector<std::string> outcomes;
    for (int i = 0; i < 100; ++i)
        loop.spawn("caller", note(*client, Command("BLPOP", "nothing", 0).within(20s), outcomes));
    bool flight_lost = false;
    loop.spawn("flight", fly(*client, flight_lost));
    auto const kept = co_await connect(loop, server.url(), "kept");
    std::vector<std::string> survived;
    server.pause();
    loop.spawn("caller", note(*kept, Command("GET", "k").idempotent().within(20s), survived));
    co_await sleep_for(5ms);
    server.kill9();
    co_await wait_until([&] { return outcomes.size() == 100; }, "callers of a dead server wait");
    EXPECT_TRUE(std::ranges::all_of(outcomes, [](auto const& each) { return each == "lost"; }));
    EXPECT_TRUE(flight_lost);
    EXPECT_FALSE(client->available());
    auto const begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(co_await outcome(*client, "GET", "k"), "refused");
    EXPECT_LT(milliseconds_since(begin), 500);
    EXPECT_FALSE(client->send(Command("SET", "k", "sent")));
    EXPECT_TRUE(survived.empty());
    server.restart();
    auto const restarted = std::chrono::steady_clock::now();
    EXPECT_TRUE(co_await client->connected(5s));
    EXPECT_LT(milliseconds_since(restarted), 1000);
    EXPECT_EQ(co_await outcome(*client, "GET", "k"), "kept");
    co_await wait_until([&] { return !survived.empty(); }, "an idempotent command is lost");
    EXPECT_EQ(survived.at(0), "kept");
    co_await client->close();
    co_await kept->close();
}

TEST(Client, CallersOfADeadServerFailAtOnceAndAllIsWellWhenItIsBack) {
    auto const server = start_redis();
    run([&](Loop& loop) { return killed(loop, *server); });
}

task<> stopped(Loop& loop, test_support::RedisServer& server) {
    auto options = Options::parse(server.url());
    options.timeout = 100ms;
    options.connect_timeout = 200ms;
    auto const client = Client::make(loop, options);
    co_await client->connected(5s);
    server.pause();
    std::vector<std::string> patient;
    loop.spawn("patient", note(*client, Command("GET", "k").within(20s), patient));
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(co_await outcome(*client, "GET", "k"), "timeout");
    EXPECT_LT(milliseconds_since(begin), 200);
    begin = std::chrono::steady_clock::now();
    EXPECT_EQ(co_await outcome(*client, "GET", "k"), "refused");
    EXPECT_LT(milliseconds_since(begin), 20);
    EXPECT_FALSE(co_await client->connected(300ms)) << "a server that accepts but does not answer is not up";
    EXPECT_EQ(patient, std::vector<std::string>{"lost"}) << "nobody waits for a connection that was given up";
    server.resume();
    EXPECT_TRUE(co_await client->connected(5s));
    EXPECT_EQ(co_await outcome(*client, "ECHO", "back"), "back");
    co_await client->close();
}

TEST(Client, AServerThatHangsCountsAsGone) {
    auto const server = start_redis();
    run([&](Loop& loop) { return stopped(loop, *server); });
}

task<> paused(Loop& loop, test_support::RedisServer& server) {
    auto const client = co_await connect(loop, server.url(), "paused");
    auto const id = co_await outcome(*client, "CLIENT", "ID");
    server.pause();
    std::vector<std::string> outcomes;
    loop.spawn("patient", note(*client, Command("ECHO", "patient"), outcomes));
    EXPECT_EQ(co_await outcome_within(20ms, *client, "GET", "k"), "timeout");
    EXPECT_EQ(co_await outcome_within(20ms, *client, "GET", "k"), "refused");
    EXPECT_TRUE(outcomes.empty());
    server.resume();
    EXPECT_TRUE(co_await client->connected(5s));
    co_await wait_until([&] { return !outcomes.empty(); }, "the patient caller waits");
    EXPECT_EQ(outcomes.at(0), "patient");
    EXPECT_EQ(co_await outcome(*client, "CLIENT", "ID"), id) << "the connection was kept";
    co_await client->close();
}

TEST(Client, AfterOneCallerWaitedInVainOthersAreRefusedUntilTheServerIsHeardAgain) {
    auto const server = start_redis();
    run([&](Loop& loop) { return paused(loop, *server); });
}

// Answers whatever comes with something that is not RESP.
task<> talk_nonsense(TcpAcceptor& acceptor) {
    for (;;) {
        auto socket = co_await acceptor.async_accept(use_task);
        std::array<char, 1024> in{};
        co_await socket.async_read_some(asio::buffer(in), use_task);
        co_await asio::async_write(socket, asio::buffer(std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n")),
                                   use_task);
    }
}

task<> nonsense(Loop& loop) {
    TcpAcceptor acceptor(loop.executor(), {asio::ip::address_v4::loopback(), 0});
    loop.spawn("nonsense", talk_nonsense(acceptor));
    auto const client =
        Client::make(loop, Options::parse("redis://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port())));
    EXPECT_FALSE(co_await client->connected(100ms));
    EXPECT_EQ(co_await outcome(*client, "PING"), "refused");
    co_await client->close();
    acceptor.close();
    co_await sleep_for(1ms);
}

TEST(Client, AServerThatDoesNotSpeakRespIsNotUp) { run(nonsense); }

}  // namespace
}  // namespace buildplan::redis
