// HttpClient: calls to other people's HTTP servers, on one loop, through libcurl: connections kept and bounded, time
// and size bounded, retries by policy, and a guard against being made to call where only we can reach (Reach). One per
// shard. TLS certificates are always verified; nothing is taken from the environment (no proxy, netrc, cookies);
// nothing that goes out or comes back is logged.
//
//   HttpRequest request{.method = "POST", .url = hook.url, .body = payload};
//   auto const answer = co_await http.send(std::move(request));
//
// Both calls throw HttpError where there is no answer, and boost::system::system_error (operation_aborted) when their
// task is cancelled, which cuts the connection at once.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "net/client/alarm.hpp"
#include "net/client/curl_multi.hpp"
#include "net/client/exchange.hpp"
#include "net/client/http_message.hpp"
#include "net/client/lanes.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::net {

struct HttpClientSettings {
    std::size_t per_origin = 64;    // connections in use to one scheme, host and port
    std::size_t connections = 256;  // in use at all; as many may be kept open
    std::size_t waiting = 4096;     // for one of them; more are refused (HttpError::Kind::overloaded)
    std::string user_agent = "BuildPlan";
    std::string ca_file{};                    // certificates to trust instead of the system's
    std::vector<std::string> allow_listed{};  // for Reach::allow_listed
};

class HttpClient {
public:
    HttpClient(Loop& loop, HttpClientSettings const& settings);
    ~HttpClient();  // nothing is in flight: close() first
    HttpClient(HttpClient const&) = delete;
    HttpClient& operator=(HttpClient const&) = delete;

    task<HttpResponse> send(HttpRequest request);

    // Like `send`, but the body of a 2xx goes to `sink` in pieces, as they come, and is unbounded. Other answers are
    // returned with their body. Once the sink has had a piece nothing is tried again.
    task<HttpResponse> stream(HttpRequest request, HttpSink sink);

    // Takes no new requests, lets those in flight finish for so long, then cuts them (HttpError::Kind::closed).
    task<> close(std::chrono::steady_clock::duration grace = {});

private:
    struct Job;
    struct Meters;
    struct Measure;

    task<HttpResponse> perform(HttpRequest const& request, HttpSink const* sink);
    task<HttpResponse> with_retries(Job& job);
    task<HttpResponse> with_redirects(Job& job);
    task<HttpResponse> once(Job& job, HttpUrl const& url, Exchange::Order const& order);
    static std::optional<std::chrono::steady_clock::duration> next_wait(Job const& job, unsigned next,
                                                                        std::optional<HttpResponse> const& response,
                                                                        std::optional<HttpError> const& error);

    Loop& loop_;
    HttpTrust trust_;
    std::shared_ptr<AlarmCircle> circle_;
    Gate gate_;
    Lanes lanes_;
    CurlMulti multi_;
    std::unique_ptr<Meters> meters_;
};

}  // namespace buildplan::net
