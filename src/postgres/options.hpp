// How a pool connects, and how much it allows itself. All counts are per shard.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace buildplan::postgres {

// Which connections a statement uses, so that a slow one holds up nobody behind it.
enum class Lane : std::uint8_t {
    shared,     // one-statement transactions, several in flight on each of few connections
    exclusive,  // transactions of several statements: one connection each
    heavy,      // search, export, reports, and whatever turned out to be slow on the shared lane
    writing,  // one-statement transactions that write: a commit waits for the disk, and only commits on connections of
              // their own share one wait, so there are more of these
};

struct LaneOptions {
    unsigned connections;  // at most; opened when they are needed, the shared ones at the start
    unsigned spare;        // further ones, opened only while all others are held up
    unsigned depth;        // transactions in flight on each
    std::chrono::milliseconds statement_timeout;
    std::chrono::milliseconds lock_timeout;
};

struct Options {
    std::string url;  // libpq's URI or keywords; a Unix socket or a host
    std::string application_name = "buildplan";

    // A one-statement transaction that runs into the short timeout of the shared lane has done nothing; it is run again
    // on the heavy lane, under that lane's timeout.
    LaneOptions shared{2, 2, 8, std::chrono::milliseconds{100}, std::chrono::milliseconds{0}};
    LaneOptions exclusive{4, 0, 1, std::chrono::seconds{10}, std::chrono::seconds{3}};
    LaneOptions heavy{2, 0, 1, std::chrono::seconds{60}, std::chrono::seconds{3}};
    LaneOptions writing{8, 0, 2, std::chrono::seconds{10}, std::chrono::seconds{3}};
    std::chrono::milliseconds idle_in_transaction_timeout = std::chrono::seconds{15};

    // How long a caller waits for a connection, and how many may wait in each lane, before it is told 503.
    std::chrono::milliseconds wait = std::chrono::seconds{2};
    std::size_t waiting = 1000;

    // A server that is silent for this long beyond a lane's statement timeout is taken for dead.
    std::chrono::milliseconds silence = std::chrono::seconds{2};

    std::chrono::milliseconds connect_timeout = std::chrono::seconds{5};
    std::chrono::milliseconds backoff = std::chrono::milliseconds{20};  // doubles from here, with jitter,
    std::chrono::milliseconds backoff_limit = std::chrono::milliseconds{250};
    std::chrono::milliseconds idle = std::chrono::seconds{60};  // unused for so long, and not a shared one: closed

    // Off behind PgBouncer in transaction mode: statements are unnamed, nothing is set at start-up, the timeouts travel
    // with each transaction, and one transaction at most is in flight on each connection (there are more connections
    // instead). PgBouncer forwards what it has read of a transaction, and gives the server to another client when an
    // earlier one of the same connection is answered: with several in flight, half of a transaction may end up with
    // another one's setting (seen with 1.18: a query without its tenant).
    bool named_statements = true;
};

}  // namespace buildplan::postgres
