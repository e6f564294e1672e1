#include "net/client/client_test.hpp"

#include <zlib.h>

#include <cstdlib>

namespace buildplan::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string gzipped(std::string_view bytes) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

Steps fine(SeenRequest const&) { return {{answer(200, "fine")}}; }

TEST(HttpClient, SendsWhatItIsGivenAndReadsTheAnswer) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        return {{answer(201, "made " + seen.body, "X-One:  1 \r\nx-ONE: 2\r\nEmpty:\r\n")}};
    });
    auto request = post(server.url("/things?a=1#x"), "it");
    request.headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}, {"Authorization", "Bearer t"}};
    request.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    auto const result = call(request);
    ASSERT_EQ(result.status(), 201) << result.body();
    EXPECT_EQ(result.body(), "made it");
    EXPECT_EQ(result.response->header("x-one"), "1");
    EXPECT_EQ(result.response->header("empty"), "");
    EXPECT_EQ(result.response->url, server.url("/things?a=1"));
    EXPECT_EQ(result.response->attempts, 1u);
    auto const seen = server.seen().at(0);
    EXPECT_EQ(seen.method + " " + seen.target, "POST /things?a=1");
    EXPECT_EQ(seen.header("authorization"), "Bearer t");
    EXPECT_EQ(seen.header("content-type"), "text/plain");
    EXPECT_EQ(seen.header("traceparent"), request.traceparent);
    EXPECT_EQ(seen.header("user-agent"), "BuildPlan");
    EXPECT_NE(seen.head.find("X-Empty:"), std::string::npos);
    EXPECT_EQ(seen.header("expect"), "");
}

TEST(HttpClient, EveryMethodGoesOutAsItIs) {
    ScriptedServer server(fine);
    for (auto const* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"}) {
        auto request = get(server.url());
        request.method = method;
        EXPECT_EQ(call(request).status(), 200) << method;
        EXPECT_EQ(server.seen().back().method, method);
        EXPECT_EQ(server.seen().back().header("content-type"), "") << method;
    }
    auto remove = post(server.url(), "which");
    remove.method = "DELETE";
    EXPECT_EQ(call(remove).status(), 200);
    EXPECT_EQ(server.seen().back().body, "which");
}

TEST(HttpClient, AnErrorStatusIsAnAnswer) {
    ScriptedServer server([](SeenRequest const&) -> Steps { return {{answer(500, "oh")}}; });
    auto const result = call(post(server.url(), ""));
    EXPECT_EQ(result.status(), 500);
    EXPECT_EQ(result.body(), "oh");
}

TEST(HttpClient, KeepsAConnection) {
    ScriptedServer server(fine);
    auto const results = call_each({get(server.url()), post(server.url(), "x"), get(server.url())});
    for (auto const& result : results) EXPECT_EQ(result.body(), "fine");
    EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpClient, ReadsChunksTrailersAndInterimAnswers) {
    ScriptedServer server([](SeenRequest const&) -> Steps {
        return {{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-En"},
                {"coding: chunked\r\n\r\n3\r\nabc\r\n", 5},
                {"4;x=y\r\nde", 5},
                {"fg\r\n0\r\nX-Trailer: 1\r\n\r\n", 5}};
    });
    auto const results = call_each({get(server.url()), get(server.url())});
    for (auto const& result : results) {
        EXPECT_EQ(result.body(), "abcdefg");
        EXPECT_EQ(result.response->headers.size(), 1u);
    }
    EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpClient, DecodesGzipAndBoundsWhatItBecomes) {
    auto const bomb = gzipped(std::string(64u << 20, '0'));
    ScriptedServer server([&](SeenRequest const& seen) -> Steps {
        return {{answer(200, seen.target == "/bomb" ? bomb : gzipped("hello"), "Content-Encoding: gzip\r\n")}};
    });
    EXPECT_EQ(call(get(server.url())).body(), "hello");
    EXPECT_EQ(server.seen().at(0).header("accept-encoding"), "gzip");
    ASSERT_LT(bomb.size(), 1u << 20);
    EXPECT_EQ(call(get(server.url("/bomb"))).kind(), Kind::too_large);
    auto plain = get(server.url());
    plain.options.gzip = false;
    EXPECT_EQ(call(plain).body(), gzipped("hello"));
}

TEST(HttpClient, BoundsTheAnswer) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/length") return {{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", 0, Step::Then::hang}};
        if (seen.target == "/exact") return {{answer(200, std::string(1000, 'x'))}};
        if (seen.target == "/head")
            return {{"HTTP/1.1 200 OK\r\n"}, {"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 0, Step::Then::forever}};
        return {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}, {"5\r\nabcde\r\n", 0, Step::Then::forever}};
    });
    auto const bounded = [&](char const* path) {
        auto request = get(server.url(path));
        request.options.max_response = 1000;
        return request;
    };
    EXPECT_EQ(call(bounded("/length")).kind(), Kind::too_large);
    EXPECT_EQ(call(bounded("/endless")).kind(), Kind::too_large);
    EXPECT_EQ(call(bounded("/head")).kind(), Kind::too_large);
    EXPECT_EQ(call(bounded("/exact")).body().size(), 1000u);
    auto head = bounded("/length");
    head.method = "HEAD";
    EXPECT_EQ(call(head).status(), 200);
}

TEST(HttpClient, RefusesRequestsThatCouldSmuggle) {
    ScriptedServer server(fine);
    std::vector<HttpRequest> bad(7, get(server.url()));
    bad[0].headers = {{"X-A", "1\r\nX-B: 2"}};
    bad[1].headers = {{"X A", "1"}};
    bad[2].headers = {{"Host", "other.test"}};
    bad[3].headers = {{"content-length", "0"}};
    bad[4].method = "GET / HTTP/1.1\r\nX:";
    bad[5].traceparent = "00\n";
    bad[6].url = "file:///etc/passwd";
    for (auto const& result : call_each(bad)) EXPECT_EQ(result.kind(), Kind::invalid);
    EXPECT_EQ(server.connections(), 0u);
}

task<std::string> next_of(std::vector<std::string>& pieces) {
    co_await sleep_for(milliseconds{1});
    if (pieces.empty()) co_return "";
    auto piece = std::move(pieces.front());
    pieces.erase(pieces.begin());
    co_return piece;
}

TEST(HttpClient, UploadsFromASource) {
    ScriptedServer server(fine);
    for (bool const sized : {false, true}) {
        std::vector<std::string> pieces{"one ", std::string(300'000, 'x'), " two"};
        auto request = get(server.url());
        request.method = "PUT";
        request.source = [&] { return next_of(pieces); };
        if (sized) request.source_size = 300'008;
        EXPECT_EQ(call(request).status(), 200);
        auto const seen = server.seen().back();
        EXPECT_EQ(seen.method, "PUT");
        EXPECT_EQ(seen.body, "one " + std::string(300'000, 'x') + " two");
        EXPECT_EQ(seen.header(sized ? "content-length" : "transfer-encoding"), sized ? "300008" : "chunked");
    }
}

task<std::string> failing_source() {
    co_await sleep_for(milliseconds{1});
    throw std::domain_error("no more");
}

TEST(HttpClient, AFailingSourceCutsTheRequest) {
    ScriptedServer server(fine);
    auto request = post(server.url(), "");
    request.source = [] { return failing_source(); };
    EXPECT_THROW(call(request), std::domain_error);
    EXPECT_TRUE(server.seen().empty());
}

TEST(HttpClient, SignsForAws) {
    ScriptedServer server(fine);
    auto request = post(server.url("/bucket/key"), "body");
    request.method = "PUT";
    request.options.aws = AwsSignature{"aws:amz:eu-central-1:s3", "AKIDEXAMPLE", "secret"};
    EXPECT_EQ(call(request).status(), 200);
    auto const signature = server.seen().at(0).header("authorization");
    EXPECT_TRUE(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")) << signature;
    EXPECT_NE(signature.find("/eu-central-1/s3/aws4_request"), std::string::npos) << signature;
}

TEST(HttpClient, TakesNoProxyFromTheEnvironment) {
    ScriptedServer server(fine);
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    auto const result = call(get(server.url()));
    ::unsetenv("http_proxy");
    ::unsetenv("ALL_PROXY");
    EXPECT_EQ(result.body(), "fine");
}

TEST(HttpClient, AThousandRequestsAtOnce) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps { return {{answer(200, seen.target), 50}}; });
    std::vector<HttpRequest> requests;
    requests.reserve(1000);
    for (int i = 0; i < 1000; ++i) requests.push_back(get(server.url("/" + std::to_string(i))));
    auto const results = call_together(requests, {.per_origin = 1000, .connections = 1000});
    for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i].body(), "/" + std::to_string(i));
    EXPECT_GT(server.connections(), 500u);
}

TEST(HttpClient, WaitsForAConnectionWithinBounds) {
    ScriptedServer server([](SeenRequest const&) -> Steps { return {{answer(200, "fine"), 20}}; });
    auto const queued = call_together(std::vector(20, get(server.url())), {.per_origin = 4});
    for (auto const& result : queued) EXPECT_EQ(result.status(), 200);
    EXPECT_LE(server.connections(), 4u);

    auto const refused = call_together(std::vector(10, get(server.url())), {.per_origin = 2, .waiting = 3});
    EXPECT_EQ(std::ranges::count(refused, std::optional(Kind::overloaded), &Result::kind), 5);
    EXPECT_EQ(std::ranges::count(refused, 200, &Result::status), 5);
}

TEST(HttpClient, AStuckOriginHoldsUpOnlyItsOwn) {
    ScriptedServer stuck([](SeenRequest const&) -> Steps { return {{"", 0, Step::Then::hang}}; });
    ScriptedServer server(fine);
    std::vector<HttpRequest> requests;
    requests.reserve(1000);
    for (int i = 0; i < 6; ++i) requests.push_back(get(stuck.url()));
    requests.push_back(get(server.url()));
    for (auto& request : requests) request.options.timeouts.total = milliseconds{300};
    auto const results = call_together(requests, {.per_origin = 2, .connections = 3});
    for (int i = 0; i < 6; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)].kind(), Kind::timeout);
    EXPECT_EQ(results[6].body(), "fine");
}

task<> count_outcomes(HttpClient& client, Loop& loop, std::string url, std::string& exposition) {
    Result first;
    Result second;
    co_await make_call(client, get(url), first);
    co_await make_call(client, get("http://127.0.0.1:1/"), second);
    metrics::Registry* const registries[] = {&loop.metrics()};
    exposition = metrics::exposition(registries);
}

TEST(HttpClient, CountsOutcomes) {
    ScriptedServer server(fine);
    std::string text;
    with_client({}, [&](HttpClient& client, Loop& loop) { return count_outcomes(client, loop, server.url(), text); });
    for (auto const* line :
         {"buildplan_http_client_requests_total{outcome=\"2xx\"} 1\n",
          "buildplan_http_client_requests_total{outcome=\"connect\"} 1\n",
          "buildplan_http_client_requests_total{outcome=\"timeout\"} 0\n",
          "buildplan_http_client_request_seconds_count 2\n", "buildplan_http_client_in_flight 0\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "not in\n" << text;
    }
}

}  // namespace
}  // namespace buildplan::net
