// Bodies that come and go in pieces, clients that leave, connections that are handed over.
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "net/test_server.hpp"

namespace buildplan::net {
namespace {

using namespace testing;

Hooks streaming(Handler handler) {
    auto hooks = TestServer::with(std::move(handler));
    hooks.on_head = [](Request& request) {
        BodyPolicy policy;
        policy.limit = 100 << 20;
        policy.streamed = request.method == "POST";
        return policy;
    };
    return hooks;
}

task<Response> count_bytes(Request& request) {
    if (!request.body_reader) co_return Response(200, content_type::text, "nothing streamed");
    std::size_t total = 0;
    std::size_t largest = 0;
    for (;;) {
        auto const piece = co_await request.body_reader->read();
        if (piece.empty()) break;
        total += piece.size();
        largest = std::max(largest, piece.size());
    }
    co_return Response(200, content_type::text, std::to_string(total) + (largest > (64u << 10) ? " in one" : ""));
}

TEST(Streaming, RequestBodyIsPulledInPieces) {
    TestServer server(streaming(count_bytes));
    Client client(server);
    std::string const body(4 << 20, 'x');
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    client.send(body);
    EXPECT_EQ(client.answer().body, std::to_string(body.size()));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 10; ++i) client.send("2710\r\n" + body.substr(0, 10'000) + "\r\n");
    client.send("0\r\n\r\n" + get("/"));
    EXPECT_EQ(client.answer().body, "100000");
    EXPECT_EQ(client.answer().body, "nothing streamed");
}

task<Response> unread(Request&) { co_return Response(403, content_type::text, "no"); }

TEST(Streaming, BodyThatWasNotReadEndsTheConnection) {
    TestServer server(streaming(unread));
    Client client(server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
    client.send(std::string(300'000, 'x'));
    auto const answer = client.answer();
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.header("connection"), "close");
}

TEST(Streaming, BodyIsInvitedOnlyWhenItIsRead) {
    std::string const head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    TestServer refusing(streaming(unread));
    Client refused(refusing);
    EXPECT_EQ(refused.ask(head).status, 403);
    TestServer reading(streaming(count_bytes));
    Client client(reading);
    EXPECT_EQ(client.ask(head).status, 100);
    EXPECT_EQ(client.ask("abc").body, "3");
}

TEST(Streaming, BodyBeyondTheLimitIsAProblem) {
    auto hooks = TestServer::with(count_bytes);
    hooks.on_head = [](Request&) {
        BodyPolicy policy;
        policy.limit = 10;
        policy.streamed = true;
        return policy;
    };
    TestServer server(std::move(hooks));
    Client client(server);
    EXPECT_EQ(
        client.ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n")
            .status,
        413);
}

task<> ten_pieces(BodyWriter& writer, std::string piece) {
    for (int i = 0; i < 10; ++i) co_await writer.write(piece);
}

task<Response> in_pieces(Request& request) {
    Response response(200, content_type::text, "");
    auto const size = static_cast<std::size_t>(std::stoul(std::string(request.parameter("size").value_or("5"))));
    response.stream = [piece = std::string(size, 'p')](BodyWriter& writer) { return ten_pieces(writer, piece); };
    co_return response;
}

TEST(Streaming, ResponseIsChunked) {
    TestServer server(in_pieces);
    Client client(server);
    for (auto const size : {1u, 1000u, 100'000u}) {
        auto const answer = client.ask(get("/?size=" + std::to_string(size)));
        EXPECT_EQ(answer.header("transfer-encoding"), "chunked");
        EXPECT_TRUE(answer.chunk_end);
        EXPECT_EQ(answer.body, std::string(std::size_t{10} * size, 'p'));
    }
    auto const head = client.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", true);
    EXPECT_EQ(head.header("transfer-encoding"), "chunked");
    EXPECT_EQ(client.ask(get("/")).body.size(), 50u);
}

TEST(Streaming, Http10ReadsUntilTheEnd) {
    TestServer server(in_pieces);
    Client client(server);
    auto const answer = client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(answer.header("transfer-encoding"), "");
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_EQ(answer.body, std::string(50, 'p'));
}

struct Progress {
    std::atomic<std::size_t> written{0};
    std::promise<std::string> ended;
};

task<> endless(BodyWriter& writer, Progress& progress) {
    std::string const piece(64u << 10, 'e');
    try {
        for (;;) {
            co_await writer.write(piece);
            progress.written += piece.size();
        }
    } catch (boost::system::system_error const& error) {
        progress.ended.set_value(error.what());
        throw;
    }
}

Handler endless_handler(Progress& progress) {
    return [&progress](Request&) -> task<Response> {
        Response response(200, content_type::bytes, "");
        response.stream = [&progress](BodyWriter& writer) { return endless(writer, progress); };
        return [](Response made) -> task<Response> { co_return made; }(std::move(response));
    };
}

TEST(Streaming, SlowClientHoldsBackTheProducer) {
    Progress progress;
    TestServer server(endless_handler(progress));
    Client client(server);
    client.send(get("/"));
    // Written grows until the buffers of the kernel are full, then stands still.
    std::size_t before = 0;
    auto const deadline = std::chrono::steady_clock::now() + 10s;
    do {
        before = progress.written;
        std::this_thread::sleep_for(100ms);
    } while ((progress.written == 0 || progress.written != before) && std::chrono::steady_clock::now() < deadline);
    EXPECT_EQ(progress.written, before);
    EXPECT_LT(before, 64u << 20);
    client.take(before / 2);
    while (progress.written == before && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
    EXPECT_GT(progress.written, before);
    client.abort();
    EXPECT_EQ(progress.ended.get_future().wait_for(10s), std::future_status::ready);
}

task<> fails_midway(BodyWriter& writer) {
    co_await writer.write("some");
    throw std::runtime_error("no more");
}

task<Response> broken_stream(Request&) {
    Response response(200, content_type::text, "");
    response.stream = [](BodyWriter& writer) { return fails_midway(writer); };
    co_return response;
}

TEST(Streaming, FailureIsSeenByTheClient) {
    TestServer server(broken_stream);
    Client client(server);
    auto const answer = client.ask(get("/"));
    EXPECT_EQ(answer.body, "some");
    EXPECT_FALSE(answer.chunk_end);
    EXPECT_TRUE(client.closed());
}

struct Watched {
    std::promise<void> started;
    std::promise<bool> cancelled;
    std::promise<Outcome> outcome;
};

task<Response> wait_long(Watched& watched) {
    watched.started.set_value();
    try {
        co_await sleep_for(30s);
    } catch (boost::system::system_error const& error) {
        watched.cancelled.set_value(error.code() == asio::error::operation_aborted);
        throw;
    }
    co_return Response(200);
}

Hooks watching(Watched& watched) {
    auto hooks = TestServer::with([&watched](Request&) { return wait_long(watched); });
    hooks.on_done = [&watched](Request const&, Outcome const& outcome) { watched.outcome.set_value(outcome); };
    return hooks;
}

TEST(Leaving, HandlerIsCancelledWhenTheClientCloses) {
    for (bool const reset : {false, true}) {
        Watched watched;
        TestServer server(watching(watched));
        Client client(server);
        client.send(get("/"));
        watched.started.get_future().wait();
        if (reset) {
            client.abort();
        } else {
            client.close();
        }
        auto cancelled = watched.cancelled.get_future();
        ASSERT_EQ(cancelled.wait_for(10s), std::future_status::ready);
        EXPECT_TRUE(cancelled.get());
        auto const outcome = watched.outcome.get_future().get();
        EXPECT_EQ(outcome.status, 499);
        EXPECT_FALSE(outcome.completed);
    }
}

task<Response> half_a_second(Request&) {
    co_await sleep_for(500ms);
    co_return Response(200, content_type::text, "done");
}

TEST(Leaving, PipelinedRequestsOfAClientThatOnlyStopsSendingAreAnswered) {
    TestServer server(half_a_second);
    Client client(server);
    client.send(get("/1") + get("/2"));
    client.shut_sending();
    EXPECT_EQ(client.answer().body, "done");
}

TEST(Leaving, SlowHandlerOfAPatientClientIsNotCancelled) {
    TestServer server(half_a_second);
    Client client(server);
    EXPECT_EQ(client.ask(get("/")).body, "done");
}

TEST(Leaving, BodyThatEndsEarlyIsNoRequest) {
    std::promise<Outcome> promise;
    auto hooks = TestServer::with(echo);
    hooks.on_done = [&](Request const&, Outcome const& outcome) { promise.set_value(outcome); };
    TestServer server(std::move(hooks));
    Client client(server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    client.shut_sending();
    EXPECT_EQ(promise.get_future().get().status, 499);
    EXPECT_TRUE(client.closed());
}

task<> shout(Upgraded upgraded) {
    std::string bytes = std::move(upgraded.buffered);
    char more[16];
    while (!bytes.ends_with('\n')) {
        auto const n = co_await upgraded.socket.async_read_some(asio::buffer(more), use_task);
        bytes.append(more, n);
    }
    for (char& c : bytes) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    co_await asio::async_write(upgraded.socket, asio::buffer(bytes), use_task);
}

task<Response> upgrade(Request&) {
    Response response(101);
    response.header("Upgrade", "shouting");
    response.upgrade = [](Upgraded upgraded) { return shout(std::move(upgraded)); };
    co_return response;
}

TEST(Upgrade, ConnectionIsHandedOverWithWhatWasRead) {
    TestServer server(upgrade);
    Client client(server);
    client.send(get("/", "Connection: Upgrade\r\nUpgrade: shouting\r\n") + "hel");
    auto const answer = client.answer();
    EXPECT_EQ(answer.status, 101);
    EXPECT_EQ(answer.header("connection"), "Upgrade");
    EXPECT_EQ(answer.header("upgrade"), "shouting");
    client.send("lo\n");
    EXPECT_EQ(client.rest(), "HELLO\n");
}

TEST(Upgrade, ConnectionIsCutWhenTheServerEnds) {
    TestServer server(upgrade);
    Client client(server);
    EXPECT_EQ(client.ask(get("/", "Connection: Upgrade\r\nUpgrade: shouting\r\n")).status, 101);
    server.drain(50ms);
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(server.connections(), 0u);
}

}  // namespace
}  // namespace buildplan::net
