#include "net/client/client_test.hpp"
#include "net/client/event_stream.hpp"

namespace buildplan::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(std::string_view bytes) { return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes); }

struct Reader {
    EventStream events;
    std::vector<ServerEvent> read;
    std::atomic<bool> event_seen = false;
    std::size_t bytes = 0;
    std::size_t enough = 0;
    milliseconds pause{0};

    task<> take(HttpResponse const& head, std::string_view piece) {
        EXPECT_EQ(head.status, 200);
        bytes += piece.size();
        if (enough > 0 && bytes >= enough) throw std::domain_error("enough");
        if (pause.count() > 0) {
            co_await sleep_for(pause);
        } else {
            events.feed(piece);
            while (auto event = events.next()) read.push_back(std::move(*event));
            event_seen = !read.empty();
        }
    }
};

task<> read_all(HttpClient& client, HttpRequest request, Reader& reader, std::optional<HttpResponse>& response) {
    HttpSink sink = [&reader](HttpResponse const& head, std::string_view piece) { return reader.take(head, piece); };
    response = co_await client.stream(std::move(request), std::move(sink));
}

std::optional<HttpResponse> read_stream(HttpRequest const& request, Reader& reader) {
    std::optional<HttpResponse> response;
    with_client({}, [&](HttpClient& client, Loop&) { return read_all(client, request, reader, response); });
    return response;
}

TEST(HttpClientStream, EventsArriveAsTheyAreSent) {
    Reader reader;
    // The second part is not sent before the first event has been read.
    ScriptedServer server([&](SeenRequest const&) -> Steps {
        return {{chunked},
                {chunk("data: {\"a\"")},
                {chunk(":1}\n\n"), 5},
                {.bytes = chunk("data: 2\n\nevent: done\ndata: 3\n\n"), .until = &reader.event_seen},
                {"0\r\n\r\n", 5}};
    });
    auto const response = read_stream(get(server.url()), reader);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->header("content-type"), "text/event-stream");
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(reader.read,
              (std::vector<ServerEvent>{{"message", "{\"a\":1}", ""}, {"message", "2", ""}, {"done", "3", ""}}));
    EXPECT_EQ(server.seen().at(0).header("accept-encoding"), "");
}

TEST(HttpClientStream, ASlowReaderHoldsTheServerBack) {
    ScriptedServer server([](SeenRequest const&) -> Steps {
        return {{"HTTP/1.1 200 OK\r\n\r\n"}, {std::string(64u << 10, 'x'), 0, Step::Then::forever}};
    });
    Reader reader;
    reader.pause = milliseconds{100};
    auto request = get(server.url());
    request.options.timeouts.idle = milliseconds{50};  // it is the reader who is idle, which is no fault
    request.options.timeouts.total = milliseconds{600};
    EXPECT_THROW(read_stream(request, reader), HttpError);
    EXPECT_GT(reader.bytes, 0u);
    EXPECT_LT(reader.bytes, 1'500'000u);
    EXPECT_LT(server.written(), 32u << 20);  // what the kernel's buffers hold
}

TEST(HttpClientStream, ALongStreamComesWhole) {
    std::string const block(1u << 20, 'y');
    ScriptedServer server([&](SeenRequest const&) -> Steps {
        Steps steps{{fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", block.size() * 32)}};
        steps.insert(steps.end(), 32, Step{block});
        return steps;
    });
    auto const result = call_streamed(get(server.url()));
    EXPECT_EQ(result.status(), 200);
    EXPECT_EQ(result.sunk.size(), block.size() * 32);
}

TEST(HttpClientStream, AnExceptionOfTheReaderEndsIt) {
    ScriptedServer server([](SeenRequest const&) -> Steps {
        return {{"HTTP/1.1 200 OK\r\n\r\n"}, {std::string(64u << 10, 'x'), 0, Step::Then::forever}};
    });
    Reader reader;
    reader.enough = 1'000'000;
    EXPECT_THROW(read_stream(get(server.url()), reader), std::domain_error);
}

TEST(HttpClientStream, OtherAnswersAreNotStreamedAndMayBeRetried) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/bad") return {{answer(400, "what?")}};
        return {{seen.number == 1 ? answer(503, "busy") : answer(200, "stream")}};
    });
    auto request = get(server.url());
    request.options.retry = {.base = milliseconds{5}};
    auto const result = call_streamed(request);
    EXPECT_EQ(result.sunk, "stream");
    EXPECT_EQ(result.response->attempts, 2u);
    auto const bad = call_streamed(get(server.url("/bad")));
    EXPECT_EQ(bad.status(), 400);
    EXPECT_EQ(bad.body(), "what?");
    EXPECT_EQ(bad.sunk, "");
}

TEST(HttpClientStream, ACutStreamIsAnErrorAndNotBegunAnew) {
    ScriptedServer server(
        [](SeenRequest const&) -> Steps { return {{chunked}, {chunk("half"), 0, Step::Then::close}}; });
    auto request = get(server.url());
    request.options.retry = {.base = milliseconds{5}};
    auto const result = call_streamed(request);
    EXPECT_EQ(result.kind(), Kind::aborted);
    EXPECT_EQ(result.sunk, "half");
    EXPECT_EQ(server.seen().size(), 1u);
}

}  // namespace
}  // namespace buildplan::net
