// What the client's tests share: a request made and awaited from the outside.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/client/http_client.hpp"
#include "tests/support/scripted_server.hpp"

namespace buildplan::net {

using test_support::answer;
using test_support::ScriptedServer;
using test_support::SeenRequest;
using test_support::Step;
using test_support::Steps;
using Kind = HttpError::Kind;
using SteadyClock = std::chrono::steady_clock;

// Runs `body(client, loop)` on a loop until it is through, and closes the client.
template <class Body>
task<> run_body(HttpClient& client, Loop& loop, Body body) {
    auto work = body(client, loop);
    co_await std::move(work);
    co_await client.close();
}

template <class Body>
void with_client(HttpClientSettings const& settings, Body body) {
    Loop loop(0, Log{});
    HttpClient client(loop, settings);
    std::exception_ptr failure;
    asio::co_spawn(loop.io(), run_body(client, loop, std::move(body)), [&](std::exception_ptr error) {
        failure = std::move(error);
        loop.stop();
    });
    loop.run();
    if (failure) std::rethrow_exception(failure);
}

// What came of one request: exactly one of the two.
struct Result {
    std::optional<HttpResponse> response;
    std::optional<HttpError> error;
    std::string sunk;  // by `stream`
    SteadyClock::duration took{};

    [[nodiscard]] int status() const { return response ? response->status : 0; }
    [[nodiscard]] std::optional<Kind> kind() const { return error ? std::optional(error->kind) : std::nullopt; }
    [[nodiscard]] std::string body() const { return response ? response->body : error->what(); }
};

inline task<> append(std::string& to, std::string_view piece) {
    to += piece;
    co_return;
}

inline task<> make_call(HttpClient& client, HttpRequest request, Result& result, bool streamed = false) {
    auto const began = SteadyClock::now();
    try {
        if (streamed) {
            HttpSink sink = [&result](HttpResponse const&, std::string_view piece) {
                return append(result.sunk, piece);
            };
            result.response = co_await client.stream(std::move(request), std::move(sink));
        } else {
            result.response = co_await client.send(std::move(request));
        }
    } catch (HttpError const& error) {
        result.error = error;
    }
    result.took = SteadyClock::now() - began;
}

// One after the other, through one client.
inline std::vector<Result> call_each(std::vector<HttpRequest> requests, HttpClientSettings const& settings = {}) {
    std::vector<Result> results(requests.size());
    struct Each {
        static task<> run(HttpClient& client, std::vector<HttpRequest>& all, std::vector<Result>& into) {
            for (std::size_t i = 0; i < all.size(); ++i) co_await make_call(client, all[i], into[i]);
        }
    };
    with_client(settings, [&](HttpClient& client, Loop&) { return Each::run(client, requests, results); });
    return results;
}

inline Result call(HttpRequest request, HttpClientSettings const& settings = {}) {
    return call_each({std::move(request)}, settings).front();
}

inline Result call_streamed(HttpRequest request, HttpClientSettings const& settings = {}) {
    Result result;
    with_client(settings,
                [&](HttpClient& client, Loop&) { return make_call(client, std::move(request), result, true); });
    return result;
}

// All at once, through one client.
inline std::vector<Result> call_together(std::vector<HttpRequest> requests, HttpClientSettings const& settings = {}) {
    std::vector<Result> results(requests.size());
    struct Together {
        static task<> run(HttpClient& client, Loop& loop, std::vector<HttpRequest>& all, std::vector<Result>& into) {
            Gate gate;
            for (std::size_t i = 0; i < all.size(); ++i) loop.spawn("call", one(client, all[i], into[i], gate.enter()));
            co_await gate.close();
        }
        static task<> one(HttpClient& client, HttpRequest request, Result& into, Gate::Pass pass) {
            co_await make_call(client, std::move(request), into);
            auto const done = std::move(pass);
        }
    };
    with_client(settings,
                [&](HttpClient& client, Loop& loop) { return Together::run(client, loop, requests, results); });
    return results;
}

// A GET that may go to loopback, in no more than a few seconds.
inline HttpRequest get(std::string url) {
    HttpRequest request{.url = std::move(url)};
    request.options.reach = Reach::anything;
    request.options.timeouts.total = std::chrono::seconds{5};
    request.options.retry.when = RetryPolicy::When::never;
    return request;
}

inline HttpRequest post(std::string url, std::string body) {
    auto request = get(std::move(url));
    request.method = "POST";
    request.body = std::move(body);
    return request;
}

}  // namespace buildplan::net
