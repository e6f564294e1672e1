// Where Redis is and how long we are patient with it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace buildplan::redis {

// One server: a unix socket (`path`) or a host and port.
struct Endpoint {
    std::string host;
    std::uint16_t port = 6379;
    std::string path;

    [[nodiscard]] std::string to_string() const;  // "unix:/run/redis.sock", "10.0.0.1:6379", "[::1]:6379"
    friend auto operator<=>(Endpoint const&, Endpoint const&) = default;
};

struct Options {
    std::vector<Endpoint> endpoints;  // several only in a cluster, to find the rest by
    bool cluster = false;
    std::string user, password;
    int database = 0;

    std::string name = "redis";             // in metrics and logs: "cache", "queue"
    std::string client_name = "buildplan";  // what CLIENT LIST shows
    bool resp3 = false;                     // replies as RESP3 types them (doubles, maps); scripts see no difference

    std::chrono::milliseconds timeout{1000};          // a command's, where it has none of its own
    std::chrono::milliseconds connect_timeout{1000};  // to a connection that answers PING
    std::chrono::milliseconds backoff{10}, max_backoff{500};
    std::size_t max_in_flight = 262'144;          // commands without an answer, a connection
    std::size_t max_unsent = 64uz * 1024 * 1024;  // bytes that the socket has not taken, a connection
    std::size_t max_bulk = 64uz * 1024 * 1024;    // bytes of one string in a reply

    // `unix:/path[?db=1]`, `redis://[user:pass@]host[:port][/db]`,
    // `redis-cluster://[user:pass@]host[:port],host[:port]…`; user and password percent-encoded. Throws
    // std::invalid_argument that says what is wrong, without the password.
    static Options parse(std::string_view url);
};

}  // namespace buildplan::redis
