// Every way of being slow ends the connection, in its time and not before.
#include "net/test_server.hpp"

namespace buildplan::net {
namespace {

using namespace testing;
using Clock = std::chrono::steady_clock;

constexpr auto limit = 80ms;
constexpr auto ages = 20s;
constexpr auto patience = 8s;  // of the test; far from `limit`, because the machine may be busy

// All limits far away; a test brings one near.
ServerSettings unhurried() {
    ServerSettings settings;
    settings.timeouts = {.first_byte = ages,
                         .idle = ages,
                         .head = ages,
                         .body_progress = ages,
                         .write_progress = ages,
                         .total = ages,
                         .buffers = ages,
                         .drained = 200ms,
                         .linger = 200ms};
    return settings;
}

// How long until the server has closed.
Clock::duration until_closed(Client& client, Clock::time_point since) {
    client.rest();
    return Clock::now() - since;
}

std::string cut(std::string_view reason) {
    return "buildplan_http_connections_cut_total{reason=\"" + std::string(reason) + "\"}";
}

TEST(Timeouts, ConnectionThatSaysNothingIsClosed) {
    auto settings = unhurried();
    settings.timeouts.first_byte = limit;
    TestServer server(hello, settings);
    auto const begun = Clock::now();
    Client client(server);
    auto const took = until_closed(client, begun);
    EXPECT_GE(took, limit - 10ms);
    EXPECT_LT(took, patience);
    EXPECT_EQ(server.metric(cut("first_byte")), 1);
}

TEST(Timeouts, IdleConnectionIsClosedWithoutAWord) {
    auto settings = unhurried();
    settings.timeouts.idle = limit;
    TestServer server(hello, settings);
    Client client(server);
    EXPECT_EQ(client.ask(get("/")).status, 200);
    auto const begun = Clock::now();
    EXPECT_EQ(client.rest(), "");
    EXPECT_GE(Clock::now() - begun, limit - 20ms);
    EXPECT_LT(Clock::now() - begun, patience);
    EXPECT_EQ(server.metric(cut("idle")), 1);
}

TEST(Timeouts, HeadThatDripsIsCut) {
    auto settings = unhurried();
    settings.timeouts.head = limit;
    TestServer server(hello, settings);
    Client client(server);
    auto const begun = Clock::now();
    // Each byte comes in time; the head as a whole does not.
    std::string_view const drip = "GET / HTTP/1.1\r\nHost: a\r\nX-Endless: ";
    client.send(drip);
    while (Clock::now() - begun < patience && client.quiet(10ms)) client.send("x");
    EXPECT_EQ(client.answer().status, 408);
    EXPECT_LT(Clock::now() - begun, patience);
    client.shut_sending();
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(server.metric(cut("head")), 1);
}

TEST(Timeouts, SecondHeadOnAConnectionIsTimedToo) {
    auto settings = unhurried();
    settings.timeouts.head = limit;
    TestServer server(hello, settings);
    Client client(server);
    client.send(get("/") + "GET /never");
    EXPECT_EQ(client.answer().status, 200);
    EXPECT_EQ(client.answer().status, 408);
}

TEST(Timeouts, BodyThatStopsIsCut) {
    auto settings = unhurried();
    settings.timeouts.body_progress = limit;
    for (auto const* const framing : {"Content-Length: 5\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
                                      "Transfer-Encoding: chunked\r\n\r\n9\r\nab"}) {
        TestServer server(echo, settings);
        Client client(server);
        auto const begun = Clock::now();
        client.send(std::string("POST / HTTP/1.1\r\nHost: a\r\n") + framing);
        auto const answer = client.answer();
        EXPECT_EQ(answer.status, 408) << framing;
        EXPECT_EQ(answer.header("connection"), "close");
        EXPECT_LT(Clock::now() - begun, patience);
        client.shut_sending();
        EXPECT_TRUE(client.closed());
        EXPECT_EQ(server.metric(cut("body")), 1);
    }
}

TEST(Timeouts, BodyThatDripsForEverIsCutByTheTotal) {
    auto settings = unhurried();
    settings.timeouts.total = limit;
    TestServer server(echo, settings);
    Client client(server);
    auto const begun = Clock::now();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    while (Clock::now() - begun < patience && client.quiet(10ms)) client.send("x");
    EXPECT_EQ(client.answer().status, 408);
    EXPECT_LT(Clock::now() - begun, patience);
}

task<Response> large(Request&) { co_return Response(200, content_type::bytes, std::string(32 << 20, 'x')); }

TEST(Timeouts, ClientThatDoesNotReadIsCut) {
    auto settings = unhurried();
    settings.timeouts.write_progress = limit;
    std::promise<Outcome> promise;
    auto hooks = TestServer::with(large);
    hooks.on_done = [&](Request const&, Outcome const& outcome) { promise.set_value(outcome); };
    TestServer server(std::move(hooks), settings);
    Client client(server);
    client.send(get("/"));
    auto outcome = promise.get_future();
    ASSERT_EQ(outcome.wait_for(patience), std::future_status::ready);
    EXPECT_FALSE(outcome.get().completed);
    EXPECT_EQ(server.metric(cut("write")), 1);
}

task<Response> asleep(Request&) {
    co_await sleep_for(60s);
    co_return Response(200);
}

TEST(Timeouts, HandlerThatTakesTooLongIsCancelled) {
    auto settings = unhurried();
    settings.timeouts.total = limit;
    TestServer server(asleep, settings);
    Client client(server);
    auto const begun = Clock::now();
    auto const answer = client.ask(get("/"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.body.contains("\"code\":\"unavailable\"")) << answer.body;
    EXPECT_GE(Clock::now() - begun, limit - 20ms);
    EXPECT_LT(Clock::now() - begun, patience);
    EXPECT_EQ(server.metric(cut("total")), 1);
}

task<Response> a_while(Request&) {
    co_await sleep_for(300ms);
    co_return Response(200);
}

TEST(Timeouts, TotalIsTheRoutes) {
    auto settings = unhurried();
    settings.timeouts.total = limit;
    auto hooks = TestServer::with(a_while);
    hooks.on_head = [](Request&) {
        BodyPolicy policy;
        policy.total = 0s;
        return policy;
    };
    TestServer server(std::move(hooks), settings);
    Client client(server);
    EXPECT_EQ(client.ask(get("/")).status, 200);
}

TEST(Timeouts, SlowOnesDoNotHoldUpOthers) {
    TestServer server(hello, unhurried());
    std::vector<std::unique_ptr<Client>> slow;
    for (int i = 0; i < 200; ++i) {
        slow.push_back(std::make_unique<Client>(server));
        slow.back()->send("GET / HTTP/1.1\r\nHost:");
    }
    Client client(server);
    EXPECT_EQ(client.ask(get("/")).status, 200);
    EXPECT_EQ(server.connections(), 201u);
}

TEST(Timeouts, ConnectionThatHasCooledDownStillAnswers) {
    auto settings = unhurried();
    settings.timeouts.buffers = 10ms;
    TestServer server(hello, settings);
    Client client(server);
    Client silent(server);
    EXPECT_EQ(client.ask(get("/")).status, 200);
    std::this_thread::sleep_for(60ms);  // a few sweeps
    EXPECT_EQ(client.ask(get("/")).status, 200);
    EXPECT_EQ(silent.ask(get("/")).status, 200);
    EXPECT_EQ(client.ask(get("/")).status, 200);
}

}  // namespace
}  // namespace buildplan::net
