// HTTP over a real socket.
#include "net/test_server.hpp"

namespace buildplan::net {
namespace {

using namespace testing;

TEST(Protocol, ConnectionIsKeptAlive) {
    TestServer server(hello);
    Client client(server);
    for (int i = 0; i < 3; ++i) {
        auto const answer = client.ask(get("/a"));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "hello /a");
        EXPECT_EQ(answer.header("connection"), "");
    }
    EXPECT_EQ(server.connections(), 1u);
}

TEST(Protocol, CloseIsHonoured) {
    TestServer server(hello);
    Client client(server);
    EXPECT_EQ(client.ask(get("/a", "Connection: close\r\n")).header("connection"), "close");
    EXPECT_TRUE(client.closed());
}

TEST(Protocol, Http10ClosesUnlessAsked) {
    TestServer server(hello);
    Client closing(server);
    EXPECT_EQ(closing.ask("GET /a HTTP/1.0\r\n\r\n").body, "hello /a");
    EXPECT_TRUE(closing.closed());
    Client keeping(server);
    EXPECT_EQ(keeping.ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("connection"), "keep-alive");
    EXPECT_EQ(keeping.ask("GET /b HTTP/1.0\r\n\r\n").body, "hello /b");
}

task<Response> slow_first(Request& request) {
    if (request.path == "/0") co_await sleep_for(30ms);
    co_return Response(200, content_type::text, std::string(request.path));
}

TEST(Protocol, PipelinedAnswersComeInOrder) {
    TestServer server(slow_first);
    Client client(server);
    std::string requests;
    for (int i = 0; i < 100; ++i) requests += get("/" + std::to_string(i));
    client.send(requests);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(client.answer().body, "/" + std::to_string(i));
}

task<Response> hold_second(Request& request) {
    if (request.path == "/2") co_await sleep_for(5s);
    co_return Response(200, content_type::text, std::string(request.path));
}

TEST(Protocol, AnAnswerDoesNotWaitForTheNextRequestsHandler) {
    TestServer server(hold_second);
    Client client(server);
    auto const begun = std::chrono::steady_clock::now();
    client.send(get("/1") + get("/2"));
    EXPECT_EQ(client.answer().body, "/1");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
    client.abort();
}

TEST(Protocol, PipelinedBodiesAreKeptApart) {
    TestServer server(echo);
    Client client(server);
    std::string const post = "POST /a HTTP/1.1\r\nHost: a\r\n";
    client.send(post + "Content-Length: 3\r\n\r\nabc" + post +
                "Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" + post + "Content-Length: 0\r\n\r\n" + post +
                "Content-Length: 1\r\n\r\nf");
    for (auto const* const expected : {"abc", "de", "", "f"}) EXPECT_EQ(client.answer().body, expected);
}

TEST(Protocol, SplitAnywhereMakesNoDifference) {
    TestServer server(echo);
    std::string const bytes =
        "\r\nPOST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        "\r\nPOST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nA: "
        "b\r\n\r\n"
        "GET /c HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t split = 1; split < bytes.size(); ++split) {
        Client client(server);
        client.send(std::string_view(bytes).substr(0, split));
        server.on_loop([] {});  // lets the loop see the first part by itself
        client.send(std::string_view(bytes).substr(split));
        ASSERT_EQ(client.answer().body, "hello") << split;
        ASSERT_EQ(client.answer().body, "abcd") << split;
        ASSERT_EQ(client.answer().status, 200) << split;
    }
    Client client(server);
    for (char const c : bytes) client.send({&c, 1});
    EXPECT_EQ(client.answer().body, "hello");
    EXPECT_EQ(client.answer().body, "abcd");
    EXPECT_EQ(client.answer().status, 200);
}

TEST(Protocol, HeadHasTheHeadersOfGetAndNoBody) {
    TestServer server(hello);
    Client client(server);
    auto const whole = client.ask(get("/a"));
    auto const head = client.ask("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("content-length"), whole.header("content-length"));
    EXPECT_EQ(head.header("content-type"), whole.header("content-type"));
    EXPECT_EQ(client.ask(get("/b")).body, "hello /b");
}

task<Response> no_content(Request&) { co_return Response(204); }

TEST(Protocol, NoContentHasNoFraming) {
    TestServer server(no_content);
    Client client(server);
    auto const answer = client.ask(get("/a"));
    EXPECT_EQ(answer.status, 204);
    EXPECT_FALSE(answer.headers.contains("content-length"));
    EXPECT_FALSE(answer.headers.contains("content-type"));
    EXPECT_EQ(client.ask(get("/b")).status, 204);
}

TEST(Protocol, MalformedRequestsAreAnsweredAndTheConnectionCloses) {
    struct Case {
        std::string bytes;
        int status;
    };
    Case const cases[] = {
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b "
         "HTTP/1.1\r\n",
         400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
        {"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\n", 417},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        {"\x16\x03\x01 hello", 400},
        {std::string(40, '\r') + std::string(40, '\n'), 400},
    };
    TestServer server(hello);
    for (auto const& each : cases) {
        Client client(server);
        auto const answer = client.ask(each.bytes);
        EXPECT_EQ(answer.status, each.status) << each.bytes.substr(0, 60);
        EXPECT_EQ(answer.header("content-type"), "application/problem+json");
        EXPECT_EQ(answer.header("connection"), "close");
        EXPECT_TRUE(answer.body.contains("\"status\":" + std::to_string(each.status))) << answer.body;
        client.shut_sending();
        EXPECT_TRUE(client.closed());
    }
    EXPECT_EQ(server.metric("buildplan_http_malformed_requests_total"), std::size(cases));
}

TEST(Protocol, AnswersBeforeAMalformedRequestAreGiven) {
    TestServer server(hello);
    Client client(server);
    client.send(get("/a") + "nonsense\r\n\r\n");
    EXPECT_EQ(client.answer().body, "hello /a");
    EXPECT_EQ(client.answer().status, 400);
    client.shut_sending();
    EXPECT_TRUE(client.closed());
}

TEST(Protocol, ContinueIsSaidOnlyWhenTheBodyIsWanted) {
    auto hooks = TestServer::with(echo);
    hooks.on_head = [](Request& request) {
        BodyPolicy policy;
        if (request.path == "/refused") policy.refuse = Response(401, content_type::text, "who?");
        if (request.path == "/small") policy.limit = 2;
        return policy;
    };
    TestServer server(std::move(hooks));
    std::string const rest = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    {
        Client client(server);
        EXPECT_EQ(client.ask("POST /wanted" + rest).status, 100);
        EXPECT_EQ(client.ask("abc").body, "abc");
        EXPECT_EQ(client.ask("POST /at-once" + rest + "def").body, "def") << "nobody waits for an invitation";
    }
    {
        Client client(server);
        auto const answer = client.ask("POST /refused" + rest);
        EXPECT_EQ(answer.status, 401);
        EXPECT_EQ(answer.header("connection"), "close") << "nobody knows whether the body comes";
    }
    {
        Client client(server);
        EXPECT_EQ(client.ask("POST /small" + rest).status, 413);
    }
}

TEST(Protocol, BodyLimitIsTheRoutes) {
    auto hooks = TestServer::with(echo);
    hooks.on_head = [](Request& request) {
        BodyPolicy policy;
        if (request.path == "/large") policy.limit = 100;
        return policy;
    };
    ServerSettings settings;
    settings.limits.body = 10;
    TestServer server(std::move(hooks), std::move(settings));
    std::string const body(100, 'b');
    auto const post = [&](std::string const& path, std::size_t size) {
        return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
               body.substr(0, size);
    };
    auto const chunks = [&](std::string const& path, std::size_t count) {
        std::string bytes = "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (std::size_t i = 0; i < count; ++i) bytes += "5\r\nbbbbb\r\n";
        return bytes + "0\r\n\r\n";
    };
    Client client(server);
    EXPECT_EQ(client.ask(post("/large", 100)).body, body);
    EXPECT_EQ(client.ask(post("/", 10)).status, 200);
    EXPECT_EQ(client.ask(chunks("/", 2)).status, 200);
    EXPECT_EQ(client.ask(chunks("/large", 20)).body, body);
    auto const refused = client.ask(post("/", 11));
    EXPECT_EQ(refused.status, 413);
    EXPECT_EQ(client.ask(post("/", 10)).status, 200) << "a small body was read, so the connection goes on";
    auto const cut = client.ask(chunks("/", 3));
    EXPECT_EQ(cut.status, 413);
    EXPECT_EQ(cut.header("connection"), "close");
}

TEST(Protocol, EarlyAnswerReachesAClientThatKeepsSending) {
    TestServer server(echo);
    Client client(server);
    // Far more than the sockets hold: a server that just closed would reset the connection under the answer.
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    std::string const piece(100'000, 'x');
    for (int i = 0; i < 4; ++i) client.send(piece);
    auto const answer = client.answer();
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.header("connection"), "close");
    client.shut_sending();
    EXPECT_TRUE(client.closed());
}

TEST(Protocol, LargeBodiesArriveWhole) {
    ServerSettings settings;
    settings.limits.body = 8 << 20;
    TestServer server(echo, std::move(settings));
    std::string body;
    for (int i = 0; body.size() < (3 << 20); ++i) body += std::to_string(i);
    Client client(server);
    std::jthread const sender([&] {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body +
                    get("/next"));
    });
    EXPECT_TRUE(client.answer().body == body);
    EXPECT_EQ(client.answer().status, 200);
}

TEST(Protocol, FoldedChunksAreRefused) {
    TestServer server(echo);
    Client client(server);
    auto const answer =
        client.ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.header("connection"), "close");
    Client endless(server);
    EXPECT_EQ(
        endless.ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(40'000, 'x'))
            .status,
        400);
}

task<Response> tell(Request& request) {
    std::string text;
    for (auto const part :
         {request.method, request.raw_path, request.path, request.host, request.scheme, request.remote, request.id}) {
        text += part;
        text += '|';
    }
    text += request.trace.traceparent();
    co_return Response(200, content_type::text, std::move(text));
}

TEST(Protocol, RequestIsDescribed) {
    ServerSettings settings;
    settings.proxies.networks.push_back(Network::parse("127.0.0.0/8").value());
    TestServer server(tell, std::move(settings));
    Client client(server);
    auto const answer = client.ask(
        get("/a%20b?c=d",
            "X-Request-Id: my.id-1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
            "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.example\r\n"));
    EXPECT_TRUE(answer.body.starts_with(
        "GET|/a%20b|/a b|b.example|https|198.51.100.1|my.id-1|00-0af7651916cd43dd8448eb211c80319c-"))
        << answer.body;
    EXPECT_EQ(answer.header("x-request-id"), "my.id-1");
    EXPECT_NE(answer.header("strict-transport-security"), "");
    auto const bad = client.ask(get("/", "X-Request-Id: a b\r\ntraceparent: nonsense\r\n"));
    EXPECT_TRUE(bad.body.starts_with("GET|/|/|a.example|http|127.0.0.1|"));
    EXPECT_EQ(bad.header("x-request-id").size(), 36u);
    EXPECT_EQ(bad.header("strict-transport-security"), "");
}

TEST(Protocol, ForwardedOfAStrangerIsNotBelieved) {
    TestServer server(tell);
    Client client(server);
    auto const answer = client.ask(get("/", "Forwarded: for=198.51.100.1;proto=https\r\nX-Forwarded-Host: evil\r\n"));
    EXPECT_TRUE(answer.body.starts_with("GET|/|/|a.example|http|127.0.0.1|")) << answer.body;
}

}  // namespace
}  // namespace buildplan::net
