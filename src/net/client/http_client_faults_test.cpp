#include "net/client/client_test.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

namespace buildplan::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using When = RetryPolicy::When;

constexpr auto head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";

HttpRequest retried(HttpRequest request, When when = When::if_idempotent) {
    request.options.retry = {.when = when, .base = milliseconds{5}};
    return request;
}

TEST(HttpClientFaults, EachPhaseHasItsTime) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/silent") return {{"", 0, Step::Then::hang}};
        if (seen.target == "/stall") return {{std::string(head) + "half", 0, Step::Then::hang}};
        Steps drip{{head}};
        for (int i = 0; i < 100; ++i) drip.push_back({"x", 20});
        return drip;
    });
    auto silent = get(server.url("/silent"));
    silent.options.timeouts.first_byte = milliseconds{60};
    auto stall = get(server.url("/stall"));
    stall.options.timeouts.idle = milliseconds{60};
    auto drip = get(server.url("/drip"));
    drip.options.timeouts.idle = milliseconds{100};
    drip.options.timeouts.total = milliseconds{250};
    auto handshake =
        get("https" + server.url().substr(4));  // the server waits for a request, the client for a handshake
    handshake.options.timeouts.connect = milliseconds{60};
    for (auto const& [request, least] : {std::pair{silent, 60}, {stall, 60}, {drip, 250}, {handshake, 60}}) {
        auto const result = call(request);
        EXPECT_EQ(result.kind(), Kind::timeout) << request.url;
        EXPECT_GE(result.took, milliseconds{least - 2}) << request.url;
        EXPECT_LT(result.took, milliseconds{least + 2000}) << request.url;
    }
    EXPECT_TRUE(call(handshake).error->safe_to_retry);
    silent.method = "POST";
    EXPECT_FALSE(call(silent).error->safe_to_retry);
}

TEST(HttpClientFaults, HalfAnAnswerIsNone) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/short") return {{std::string(head) + "half", 0, Step::Then::close}};
        if (seen.target == "/chunk") {
            return {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 0, Step::Then::close}};
        }
        if (seen.target == "/reset") return {{std::string(head) + "half", 10, Step::Then::reset}};
        if (seen.target == "/nothing") return {{"", 0, Step::Then::close}};
        return {{"SSH-2.0-OpenSSH_9.2\r\n", 0, Step::Then::close}};
    });
    for (auto const* path : {"/short", "/chunk", "/reset", "/nothing"}) {
        EXPECT_EQ(call(get(server.url(path))).kind(), Kind::aborted) << path;
    }
    EXPECT_EQ(call(get(server.url("/ssh"))).kind(), Kind::protocol);
}

TEST(HttpClientFaults, NobodyListens) {
    std::string url;
    {
        ScriptedServer const gone([](SeenRequest const&) -> Steps { return {}; });
        url = gone.url();
    }
    auto const result = call(post(url, "x"));
    EXPECT_EQ(result.kind(), Kind::connect);
    EXPECT_TRUE(result.error->safe_to_retry);
}

TEST(HttpClientFaults, RetriesUntilItWorks) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.number == 1) return {{answer(503, "busy"), 0, Step::Then::close}};
        if (seen.number == 2) return {{"", 0, Step::Then::close}};
        return {{answer(200, "fine")}};
    });
    auto const result = call(retried(get(server.url())));
    EXPECT_EQ(result.body(), "fine");
    EXPECT_EQ(result.response->attempts, 3u);
}

TEST(HttpClientFaults, GivesTheLastAnswerWhenRetriesAreUsedUp) {
    ScriptedServer server([](SeenRequest const&) -> Steps { return {{answer(502, "no")}}; });
    auto const result = call(retried(get(server.url())));
    EXPECT_EQ(result.status(), 502);
    EXPECT_EQ(result.response->attempts, 3u);
    EXPECT_EQ(server.seen().size(), 3u);
}

TEST(HttpClientFaults, RepeatsOnlyWhatMayBeRepeated) {
    ScriptedServer server([](SeenRequest const&) -> Steps { return {{answer(503)}}; });
    auto const sent = [&](HttpRequest request) {
        auto const before = server.seen().size();
        EXPECT_EQ(call(std::move(request)).status(), 503);
        return server.seen().size() - before;
    };
    EXPECT_EQ(sent(retried(post(server.url(), "x"))), 1u);
    auto keyed = retried(post(server.url(), "x"));
    keyed.headers = {{"Idempotency-Key", "k"}};
    EXPECT_EQ(sent(keyed), 3u);
    EXPECT_EQ(sent(retried(post(server.url(), "x"), When::always)), 3u);
    EXPECT_EQ(sent(retried(get(server.url()), When::never)), 1u);
    ScriptedServer missing([](SeenRequest const&) -> Steps { return {{answer(404)}}; });
    call(retried(get(missing.url())));
    EXPECT_EQ(missing.seen().size(), 1u);
}

TEST(HttpClientFaults, RetryAfterIsHonouredWithinBounds) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        return {{answer(seen.number == 1 ? 429 : 200, "",
                        seen.target == "/long" ? "Retry-After: 3600\r\n" : "Retry-After: 1\r\n")}};
    });
    auto const result = call(retried(get(server.url())));
    EXPECT_EQ(result.status(), 200);
    EXPECT_GE(result.took, seconds{1});
    ScriptedServer limited([](SeenRequest const&) -> Steps { return {{answer(429, "", "Retry-After: 3600\r\n")}}; });
    auto const later = call(retried(get(limited.url())));
    EXPECT_EQ(later.status(), 429);
    EXPECT_EQ(later.response->retry_after(), seconds{3600});
    EXPECT_EQ(limited.seen().size(), 1u);
}

TEST(HttpClientFaults, RetriesEndWithTheTotalTime) {
    ScriptedServer server([](SeenRequest const&) -> Steps { return {{answer(503), 20}}; });
    auto request = retried(get(server.url()));
    request.options.retry.attempts = 1000;
    request.options.retry.base = request.options.retry.cap = milliseconds{20};
    request.options.timeouts.total = milliseconds{200};
    auto const result = call(request);
    EXPECT_LT(result.took, seconds{2});
    EXPECT_GT(server.seen().size(), 1u);
}

// The server takes a second request on a kept connection and cuts it without a word. It may have done what it was
// asked.
TEST(HttpClientFaults, ADeadKeptConnectionDoesNotSendAPostTwice) {
    auto const script = [](SeenRequest const& seen) -> Steps {
        if (seen.number == 2) return {{"", 0, Step::Then::close}};
        return {{answer(200, "fine")}};
    };
    ScriptedServer posts(script);
    auto const second = call_each({get(posts.url()), post(posts.url(), "pay")}).at(1);
    EXPECT_EQ(second.kind(), Kind::aborted);
    EXPECT_FALSE(second.error->safe_to_retry);
    EXPECT_EQ(posts.seen().size(), 2u);
    ScriptedServer gets(script);
    EXPECT_EQ(call_each({get(gets.url()), get(gets.url())}).at(1).status(), 200);
    EXPECT_EQ(gets.seen().size(), 3u);
}

// Cancels a call, as a server does whose own client has left, once the other side has got it.
task<> cancel_a_call(HttpClient& client, Loop& loop, ScriptedServer& server, HttpRequest request, bool& aborted) {
    asio::cancellation_signal signal;
    Result result;
    Gate gate;
    auto pass = std::make_shared<Gate::Pass>(gate.enter());
    asio::co_spawn(
        loop.io(), make_call(client, std::move(request), result),
        asio::bind_cancellation_slot(signal.slot(), [&aborted, pass](std::exception_ptr const& error) mutable {
            try {
                if (error) std::rethrow_exception(error);
            } catch (boost::system::system_error const& e) {
                aborted = e.code() == asio::error::operation_aborted;
            }
            pass.reset();
        }));
    pass.reset();
    while (server.written() == 0 && server.seen().empty() && server.connections() == 0)
        co_await sleep_for(milliseconds{1});
    signal.emit(asio::cancellation_type::terminal);
    co_await gate.close();
    while (server.open_connections() > 0) co_await sleep_for(milliseconds{1});
}

TEST(HttpClientFaults, CancellationCutsTheConnectionAtOnce) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/retry") return {{answer(503, "", "Retry-After: 4\r\n"), 0, Step::Then::close}};
        if (seen.target == "/silent") return {{"", 0, Step::Then::hang}};
        return {{std::string(head) + "half", 0, Step::Then::hang}};
    });
    for (auto const* path : {"/silent", "/half", "/retry"}) {
        bool aborted = false;
        auto const began = SteadyClock::now();
        with_client({}, [&](HttpClient& client, Loop& loop) {
            return cancel_a_call(client, loop, server, retried(get(server.url(path))), aborted);
        });
        EXPECT_TRUE(aborted) << path;
        EXPECT_LT(SteadyClock::now() - began, seconds{2}) << path;
    }
}

task<> one_of(HttpClient& client, HttpRequest request, Result& result, Gate::Pass pass) {
    co_await make_call(client, std::move(request), result);
    auto const done = std::move(pass);
}

task<> close_meanwhile(HttpClient& client, Loop& loop, ScriptedServer& server, std::vector<HttpRequest> requests,
                       std::vector<Result>& results, milliseconds grace) {
    results.resize(requests.size() + 1);
    Gate gate;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        loop.spawn("call", one_of(client, requests[i], results[i], gate.enter()));
    }
    while (server.seen().size() < requests.size()) co_await sleep_for(milliseconds{1});
    co_await client.close(grace);
    co_await make_call(client, requests[0], results.back());
    co_await gate.close();
}

TEST(HttpClientFaults, CloseWaitsAsLongAsItIsToldThenCuts) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/soon") return {{answer(200, "fine"), 100}};
        return {{"", 0, Step::Then::hang}};
    });
    std::vector<Result> results;
    with_client({}, [&](HttpClient& client, Loop& loop) {
        return close_meanwhile(client, loop, server, {get(server.url("/soon")), get(server.url("/never"))}, results,
                               milliseconds{400});
    });
    EXPECT_EQ(results.at(0).body(), "fine");
    EXPECT_EQ(results.at(1).kind(), Kind::closed);
    EXPECT_LT(results.at(1).took, seconds{2});
    EXPECT_EQ(results.at(2).kind(), Kind::closed);
}

}  // namespace
}  // namespace buildplan::net
