// What surrounds the requests: hooks, headers, limits, the port, the end.
#include <sys/resource.h>
#include <zlib.h>

#include "core/operator_error.hpp"
#include "net/test_server.hpp"

namespace buildplan::net {
namespace {

using namespace testing;

std::string gunzip(std::string_view bytes) {
    z_stream z{};
    EXPECT_EQ(::inflateInit2(&z, 15 + 16), Z_OK);
    std::string out(16 << 20, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::inflate(&z, Z_FINISH), Z_STREAM_END);
    EXPECT_EQ(z.avail_in, 0u);
    out.resize(z.total_out);
    ::inflateEnd(&z);
    return out;
}

std::string numbers(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i * i) + ",";
    text.resize(size);
    return text;
}

task<Response> sized(Request& request) {
    auto const size = static_cast<std::size_t>(std::stoul(std::string(request.parameter("size").value_or("0"))));
    auto const type = request.path == "/png" ? std::string_view("image/png") : content_type::json;
    Response response(200, type, numbers(size));
    if (request.path == "/secret") response.compress = false;
    if (request.path == "/encoded") response.header("Content-Encoding", "br");
    co_return response;
}

TEST(Gzip, IsGivenWhereItIsWantedAndWorthIt) {
    TestServer server(sized);
    Client client(server);
    std::string const gzip = "Accept-Encoding: br;q=0.9, gzip;q=0.8\r\n";
    for (auto const size : {1024u, 20'000u, 1'000'000u}) {
        auto const answer = client.ask(get("/?size=" + std::to_string(size), gzip));
        EXPECT_EQ(answer.header("content-encoding"), "gzip");
        EXPECT_EQ(answer.header("vary"), "Accept-Encoding");
        EXPECT_LT(answer.body.size(), size);
        EXPECT_TRUE(gunzip(answer.body) == numbers(size)) << size;
    }
    auto const head = client.ask("HEAD /?size=20000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n", true);
    EXPECT_EQ(head.header("content-encoding"), "gzip");
    EXPECT_NE(head.header("content-length"), "20000");
    for (auto const* const path : {"/?size=1023", "/png?size=5000", "/secret?size=5000"})
        EXPECT_EQ(client.ask(get(path, gzip)).header("content-encoding"), "") << path;
    EXPECT_EQ(client.ask(get("/encoded?size=5000", gzip)).header("content-encoding"), "br");
    auto const plain = client.ask(get("/?size=5000", "Accept-Encoding: gzip;q=0\r\n"));
    EXPECT_EQ(plain.header("content-encoding"), "");
    EXPECT_EQ(plain.header("vary"), "Accept-Encoding");
    EXPECT_EQ(plain.body, numbers(5000));
    EXPECT_EQ(
        client.ask(get("/?size=5000", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n")).header("content-encoding"),
        "gzip");
}

task<Response> framed(Request& request) {
    Response response(200, content_type::html, "<p>");
    if (request.path == "/docs")
        response.header("content-security-policy", "default-src 'self'").header("X-Request-Id", "mine");
    co_return response;
}

TEST(Headers, SecurityHeadersAreThereUnlessTheResponseBringsItsOwn) {
    TestServer server(framed);
    Client client(server);
    auto const plain = client.ask(get("/"));
    EXPECT_EQ(plain.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(plain.header("referrer-policy"), "no-referrer");
    EXPECT_EQ(plain.header("x-frame-options"), "DENY");
    EXPECT_EQ(plain.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    EXPECT_EQ(plain.header("cross-origin-opener-policy"), "same-origin");
    EXPECT_EQ(plain.header("cross-origin-resource-policy"), "same-origin");
    EXPECT_EQ(plain.header("server"), "");
    EXPECT_EQ(plain.header("date").size(), 29u);
    auto const docs = client.ask(get("/docs"));
    EXPECT_EQ(docs.header("content-security-policy"), "default-src 'self'");
    EXPECT_EQ(docs.header("x-frame-options"), "DENY");
    EXPECT_EQ(docs.header("x-request-id"), "mine");
}

Hooks with_options() {
    auto hooks = TestServer::with(hello);
    hooks.allowed_methods = [](Request const& request) {
        return request.path == "/none" ? std::string{} : std::string("GET, HEAD, PATCH");
    };
    return hooks;
}

TEST(Cors, ListedOriginsMayRead) {
    ServerSettings settings;
    settings.cors = {.origins = {"https://app.example", "https://b.example"},
                     .credentials = true,
                     .request_headers = {"Authorization", "If-Match"},
                     .exposed_headers = {"ETag", "X-Request-Id"}};
    TestServer server(with_options(), std::move(settings));
    Client client(server);
    auto const answer = client.ask(get("/", "Origin: https://b.example\r\n"));
    EXPECT_EQ(answer.header("access-control-allow-origin"), "https://b.example");
    EXPECT_EQ(answer.header("access-control-allow-credentials"), "true");
    EXPECT_EQ(answer.header("access-control-expose-headers"), "ETag, X-Request-Id");
    EXPECT_EQ(answer.header("vary"), "Origin");
    for (auto const* const other :
         {"Origin: https://evil.example\r\n", "Origin: https://b.example.evil\r\n", "Origin: null\r\n", ""}) {
        auto const refused = client.ask(get("/", other));
        EXPECT_EQ(refused.header("access-control-allow-origin"), "") << other;
        EXPECT_EQ(refused.header("vary"), "Origin");
    }
    std::string const preflight = "OPTIONS / HTTP/1.1\r\nHost: a\r\nAccess-Control-Request-Method: PATCH\r\nOrigin: ";
    auto const allowed = client.ask(preflight + "https://app.example\r\n\r\n");
    EXPECT_EQ(allowed.status, 204);
    EXPECT_EQ(allowed.header("access-control-allow-origin"), "https://app.example");
    EXPECT_EQ(allowed.header("access-control-allow-methods"), "GET, HEAD, PATCH");
    EXPECT_EQ(allowed.header("access-control-allow-headers"), "Authorization, If-Match");
    EXPECT_EQ(allowed.header("access-control-allow-credentials"), "true");
    EXPECT_EQ(allowed.header("access-control-max-age"), "600");
    EXPECT_EQ(allowed.header("vary"), "Origin");
    auto const refused = client.ask(preflight + "https://evil.example\r\n\r\n");
    EXPECT_EQ(refused.status, 204);
    EXPECT_EQ(refused.header("access-control-allow-origin"), "");
    EXPECT_EQ(refused.header("access-control-allow-methods"), "");
}

TEST(Cors, IsOffByDefault) {
    TestServer server(with_options());
    Client client(server);
    auto const answer = client.ask(get("/", "Origin: https://b.example\r\n"));
    EXPECT_EQ(answer.header("access-control-allow-origin"), "");
    EXPECT_EQ(answer.header("vary"), "");
}

TEST(Options, ComeFromTheTable) {
    TestServer server(with_options());
    Client client(server);
    EXPECT_EQ(client.ask("OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n").header("allow"), "GET, HEAD, PATCH");
    EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
    EXPECT_EQ(client.ask("OPTIONS /none HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
}

task<Response> throws(Request& request) {
    if (request.path == "/problem") throw problems::conflict("taken", "That is taken.");
    if (request.path == "/later") {
        co_await sleep_for(1ms);
        throw Problem(429, "rate-limited", "Slowly.").retry_in(7s);
    }
    throw std::runtime_error("password of the database is 1234");
}

TEST(Problems, AreRenderedAndTellNothingInner) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    {
        LogSink sink(pipe_ends[1], LogFormat::json, LogLevel::info);
        TestServer server(TestServer::with(throws), {}, Log(sink));
        Client client(server);
        auto const conflict = client.ask(get("/problem"));
        EXPECT_EQ(conflict.status, 409);
        EXPECT_TRUE(conflict.body.contains("\"code\":\"taken\"")) << conflict.body;
        EXPECT_TRUE(conflict.body.contains(conflict.header("x-request-id")));
        EXPECT_EQ(client.ask(get("/later")).header("retry-after"), "7");
        auto const internal = client.ask(get("/other"));
        EXPECT_EQ(internal.status, 500);
        EXPECT_FALSE(internal.body.contains("1234"));
        EXPECT_EQ(client.ask(get("/problem")).status, 409) << "the connection goes on";
    }
    ::close(pipe_ends[1]);
    char text[8192];
    auto const n = ::read(pipe_ends[0], text, sizeof text);
    ::close(pipe_ends[0]);
    std::string_view const log(text, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    auto const first = log.find("1234");
    EXPECT_NE(first, std::string_view::npos) << log;
    EXPECT_EQ(log.find("1234", first + 1), std::string_view::npos) << "logged once";
}

TEST(Problems, AreRenderedByTheFloorAbove) {
    auto hooks = TestServer::with(throws);
    hooks.render = [](Problem const& problem, Request const& request) {
        return Response(problem.status, content_type::text, problem.code + " at " + std::string(request.path));
    };
    hooks.on_head = [](Request& request) -> BodyPolicy {
        if (request.path == "/early") throw problems::forbidden("no");
        if (request.path == "/broken") throw std::runtime_error("secret");
        return {};
    };
    TestServer server(std::move(hooks));
    Client client(server);
    EXPECT_EQ(client.ask(get("/problem")).body, "taken at /problem");
    EXPECT_EQ(client.ask(get("/early")).body, "forbidden at /early");
    EXPECT_EQ(client.ask(get("/broken")).body, "internal at /broken");
    EXPECT_EQ(client.ask(get("/other")).body, "internal at /other");
}

TEST(Hooks, RouteFoundAtTheHeadIsThereInTheHandler) {
    static constexpr int row = 7;
    std::vector<Outcome> outcomes;
    Hooks hooks;
    hooks.handler = [](Request& request) -> task<Response> {
        co_return Response(request.route == &row ? 200 : 500, content_type::text, "12345");
    };
    hooks.on_head = [](Request& request) {
        request.route = &row;
        return BodyPolicy{};
    };
    hooks.on_done = [&](Request const& request, Outcome const& outcome) {
        EXPECT_EQ(request.route, &row);
        outcomes.push_back(outcome);
    };
    {
        TestServer server(std::move(hooks));
        Client client(server);
        auto const answer = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        EXPECT_EQ(answer.status, 200);
        client.ask(get("/"));
        server.on_loop([&] {
            ASSERT_EQ(outcomes.size(), 2u);
            EXPECT_EQ(outcomes[0].status, 200);
            EXPECT_EQ(outcomes[0].received, 3u);
            EXPECT_EQ(outcomes[0].sent, answer.head.size() + answer.body.size());
            EXPECT_TRUE(outcomes[0].completed);
            EXPECT_GT(outcomes[0].duration.count(), 0);
        });
    }
}

TEST(Limits, ConnectionsBeyondTheLimitAreToldSo) {
    ServerSettings settings;
    settings.limits.connections = 2;
    TestServer server(hello, std::move(settings));
    Client first(server);
    auto second = std::make_unique<Client>(server);
    EXPECT_EQ(first.ask(get("/")).status, 200);
    EXPECT_EQ(second->ask(get("/")).status, 200);
    {
        Client third(server);
        auto const answer = third.answer();
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(answer.header("retry-after"), "1");
        EXPECT_EQ(answer.header("connection"), "close");
        EXPECT_TRUE(third.closed());
    }
    EXPECT_EQ(first.ask(get("/")).status, 200) << "those who were there notice nothing";
    second.reset();
    while (server.connections() > 1) std::this_thread::sleep_for(1ms);
    Client fourth(server);
    EXPECT_EQ(fourth.ask(get("/")).status, 200);
    EXPECT_EQ(server.metric("buildplan_http_connections_refused_total"), 1);
    EXPECT_EQ(server.metric("buildplan_http_connections_accepted_total"), 4);
}

TEST(Limits, ConnectionEndsAfterItsRequests) {
    ServerSettings settings;
    settings.limits.requests = 2;
    TestServer server(hello, std::move(settings));
    Client client(server);
    EXPECT_EQ(client.ask(get("/")).header("connection"), "");
    EXPECT_EQ(client.ask(get("/")).header("connection"), "close");
    client.shut_sending();
    EXPECT_TRUE(client.closed());
}

TEST(Limits, RunningOutOfDescriptorsIsSurvived) {
    TestServer server(hello);
    Client first(server);
    EXPECT_EQ(first.ask(get("/")).status, 200);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    Client waiting(server.port());
    EXPECT_EQ(waiting.ask(get("/")).status, 200);
    // The next descriptor that the server asks for is one too many; the client's own is there already.
    int const lowest_free = ::dup(0);
    ::close(lowest_free);
    int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(fd) + 1;
    ::setrlimit(RLIMIT_NOFILE, &tight);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(first.ask(get("/")).status, 200);
    EXPECT_EQ(server.connections(), 2u);
    ::setrlimit(RLIMIT_NOFILE, &before);
    auto const request = get("/", "Connection: close\r\n");
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    char bytes[12]{};
    EXPECT_EQ(::recv(fd, bytes, sizeof bytes, MSG_WAITALL), 12);
    EXPECT_EQ(std::string_view(bytes, 12), "HTTP/1.1 200");
    ::close(fd);
}

TEST(Listener, ShardsShareAPortThatTheKernelChose) {
    auto const listeners = Listener::open("127.0.0.1", 0, 3);
    ASSERT_EQ(listeners.size(), 3u);
    EXPECT_NE(listeners[0].port(), 0);
    for (auto const& listener : listeners) EXPECT_EQ(listener.port(), listeners[0].port());
    for (int i = 0; i < 8; ++i) Client client(listeners[0].port());
}

TEST(Listener, BusyPortIsAClearError) {
    auto const listeners = Listener::open("127.0.0.1", 0, 2);
    try {
        // Ours shares its port, with the same user even; still nobody joins in.
        Listener::open("127.0.0.1", listeners[0].port(), 2);
        ADD_FAILURE() << "two servers on one port";
    } catch (OperatorError const& error) {
        EXPECT_TRUE(error.happened.contains(std::to_string(listeners[0].port()))) << error.what();
        EXPECT_TRUE(error.remedy.contains("--port"));
    }
}

TEST(Listener, ImpossibleAddressesAreClearErrors) {
    EXPECT_THROW(Listener::open("localhost", 0, 1), OperatorError);
    EXPECT_THROW(Listener::open("192.0.2.1", 0, 1), OperatorError);
    EXPECT_THROW(Listener::open("", 0, 1), OperatorError);
}

TEST(Listener, PortIsFreeAgainAtOnce) {
    auto listeners = Listener::open("127.0.0.1", 0, 2);
    auto const port = listeners[0].port();
    listeners.clear();
    listeners = Listener::open("127.0.0.1", port, 2);
    EXPECT_EQ(listeners[1].port(), port);
}

struct Held {
    std::promise<void> started;
    std::atomic<bool> go{false};
};

task<Response> held(Held& state) {
    state.started.set_value();
    while (!state.go) co_await sleep_for(2ms);
    co_return Response(200, content_type::text, "finished");
}

TEST(Drain, FinishesWhatIsInFlightAndClosesTheIdle) {
    Held state;
    TestServer server(
        TestServer::with([&](Request& request) { return request.path == "/held" ? held(state) : hello(request); }));
    Client idle(server);
    EXPECT_EQ(idle.ask(get("/")).status, 200);
    Client busy(server);
    busy.send(get("/held"));
    state.started.get_future().wait();
    auto drained = server.start_drain(30s);
    EXPECT_TRUE(idle.closed());
    EXPECT_EQ(server.connections(), 1u);
    state.go = true;
    auto const answer = busy.answer();
    EXPECT_EQ(answer.body, "finished");
    EXPECT_EQ(answer.header("connection"), "close");
    busy.close();
    EXPECT_EQ(drained.wait_for(10s), std::future_status::ready);
    EXPECT_EQ(server.connections(), 0u);
}

TEST(Drain, RequestOnItsWayIsAnswered) {
    ServerSettings settings;
    settings.timeouts.drained = 30s;
    TestServer server(hello, std::move(settings));
    Client client(server);
    EXPECT_EQ(client.ask(get("/")).header("connection"), "");
    auto drained = server.start_drain(30s);
    // The port is free once the drain has begun.
    for (bool free = false; !free;) {
        try {
            Listener::open("127.0.0.1", server.port(), 1);
            free = true;
        } catch (OperatorError const&) {
            std::this_thread::sleep_for(1ms);
        }
    }
    EXPECT_EQ(client.ask(get("/")).header("connection"), "close");
    client.close();
    EXPECT_EQ(drained.wait_for(10s), std::future_status::ready);
}

TEST(Drain, NobodyIsAccepted) {
    TestServer server(hello);
    auto const port = server.port();
    server.drain(10ms);
    EXPECT_NO_THROW(Listener::open("127.0.0.1", port, 1));
}

TEST(Drain, CutsWhatDoesNotFinish) {
    Held state;
    TestServer server(TestServer::with([&](Request&) { return held(state); }));
    Client client(server);
    client.send(get("/held"));
    state.started.get_future().wait();
    auto const begun = std::chrono::steady_clock::now();
    server.drain(100ms);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
    EXPECT_EQ(client.answer().status, 503);
    state.go = true;
}

TEST(Drain, EndWithoutOneIsSafe) {
    Held state;
    {
        Shards shards(1, Log{});
        auto listeners = Listener::open("127.0.0.1", 0, 1);
        auto const port = listeners[0].port();
        Server server(shards[0], std::move(listeners[0]), {}, TestServer::with([&](Request&) { return held(state); }));
        shards[0].post([&] { server.start(); });
        shards.start();
        Client idle(port);
        Client busy(port);
        busy.send(get("/"));
        state.started.get_future().wait();
        shards.stop();
    }
    EXPECT_FALSE(state.go);
}

TEST(Drain, HalfAHeadMayStillBeFinished) {
    TestServer server(hello);
    Client client(server);
    client.send("GET / HTTP/1.1\r\n");
    while (server.metric("buildplan_http_received_bytes_total") < 16) std::this_thread::sleep_for(1ms);
    Client idle(server);
    EXPECT_EQ(idle.ask(get("/")).status, 200);
    auto drained = server.start_drain(30s);
    EXPECT_TRUE(idle.closed());
    auto const answer = client.ask("Host: a\r\n\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), "close");
    client.close();
    EXPECT_EQ(drained.wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace buildplan::net
