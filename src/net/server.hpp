// Server: HTTP/1.1 (and 1.0) on one loop: accepts, parses, bounds and times every connection, hands requests to one
// handler in order, writes the answers. One Server per shard, all listening on the same port by SO_REUSEPORT.
// What goes wrong in the protocol is answered here (400, 408, 413, 414, 417, 431, 501, 503, 505, as problem+json) and
// never reaches the handler; what the handler throws is rendered by `Hooks::render`. TLS is the balancer's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.hpp"
#include "net/cors.hpp"
#include "net/listener.hpp"
#include "net/proxies.hpp"
#include "net/request.hpp"
#include "net/response.hpp"
#include "runtime/loop.hpp"

namespace buildplan::net {

// How long a client may take. A client that takes longer is cut; nobody else notices. Kept by one sweep per loop, so a
// limit is hit up to a quarter of a second late (less when limits are short).
struct Timeouts {
    using Duration = std::chrono::steady_clock::duration;
    Duration first_byte = std::chrono::seconds{10};      // new connection to the first byte
    Duration idle = std::chrono::seconds{75};            // kept alive, between requests
    Duration head = std::chrono::seconds{10};            // first byte to the end of the head
    Duration body_progress = std::chrono::seconds{10};   // without a byte of the body
    Duration write_progress = std::chrono::seconds{20};  // without the client taking a byte
    // First byte of the request to the last byte of the answer; the handler is cancelled (503). BodyPolicy may say
    // otherwise for a route.
    Duration total = std::chrono::seconds{60};
    Duration buffers = std::chrono::seconds{1};         // an idle connection keeps its buffers
    Duration drained = std::chrono::milliseconds{200};  // in place of idle, once the server drains
    Duration linger = std::chrono::seconds{2};  // for the client to read an early answer before the connection goes
};

struct Limits {
    std::size_t head = 16u << 10;       // request line and headers: 431
    std::size_t target = 8u << 10;      // 414
    std::size_t headers = 100;          // 431
    std::size_t query_parameters = 64;  // 400
    std::size_t body = 1024u << 10;     // 413, unless BodyPolicy says otherwise
    std::size_t connections = 10'000;   // of this shard; beyond it a 503 and the connection is closed
    std::size_t requests = 100'000;     // on one connection, then it is closed
};

struct ServerSettings {
    Timeouts timeouts;
    Limits limits;
    Cors cors;
    TrustedProxies proxies;
    std::chrono::seconds hsts{31'536'000};  // only where the scheme is https; 0: never
    bool gzip = true;
    std::size_t gzip_from = 1024;  // bytes
};

// How the body of a request is read; decided when its head is there and before the client is told to go on.
struct BodyPolicy {
    std::optional<std::size_t> limit;  // in place of Limits::body
    bool streamed = false;             // the handler pulls it from Request::body_reader
    // Instead of Timeouts::total; zero: no bound but progress.
    std::optional<std::chrono::steady_clock::duration> total;
    // Answered at once, without body and handler: not there, not allowed, too many.
    std::optional<Response> refuse;
};

// What came of a request: for metrics and the access log.
struct Outcome {
    int status;                                    // 499 when the client left before its answer
    std::uint64_t received;                        // bytes of the body
    std::uint64_t sent;                            // bytes of the answer, head included
    std::chrono::steady_clock::duration duration;  // first byte in to last byte given to the kernel
    bool completed;                                // false: the connection was cut before the answer was out
};

using Handler = std::function<task<Response>(Request&)>;

// The upper floor's part, called on the loop's thread. Only `handler` is needed.
struct Hooks {
    // Cancelled (terminal cancellation of its task) when the client leaves, when the total time is over and when a
    // drain's grace is. A Problem that it throws is rendered; any other exception is logged once and rendered as a 500.
    Handler handler;
    // The head is there, the body is not. May set `route`; may throw a Problem, which is like refusing with it.
    std::function<BodyPolicy(Request&)> on_head;
    // The Allow list for OPTIONS and preflights, e.g. "GET, HEAD, POST"; empty where there is no such path (404).
    // Without it OPTIONS goes to the handler.
    std::function<std::string(Request const&)> allowed_methods;
    std::function<Response(Problem const&, Request const&)> render;
    // Once per request that had a complete head. Must not throw.
    std::function<void(Request const&, Outcome const&)> on_done;
};

class Server {
public:
    // Takes one of the sockets that Listener::open made. Nothing is accepted before `start`.
    Server(Loop& loop, Listener listener, ServerSettings settings, Hooks hooks);
    ~Server();  // cuts what is still open
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;

    // All of these on the loop's thread.
    void start();
    // Stops accepting, closes idle connections, lets requests in flight (or on their way) finish for at most `grace`,
    // then cuts them. Answers given meanwhile say `Connection: close`. Returns when no connection is left.
    task<> drain(std::chrono::steady_clock::duration grace);

    [[nodiscard]] std::size_t connections() const noexcept;

private:
    std::shared_ptr<class Connections> connections_;
};

}  // namespace buildplan::net
