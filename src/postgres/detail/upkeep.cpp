// The engine's care for its connections: making them, remaking them, closing those that are of no use or dead.
#include <boost/asio/post.hpp>

#include "postgres/detail/engine.hpp"
#include "postgres/detail/statements.hpp"

namespace buildplan::postgres::detail {
namespace {

constexpr auto quick_tick = std::chrono::milliseconds{5};
constexpr auto slow_tick = std::chrono::milliseconds{250};

Request own_request(Statement const& statement, Answer& answer) {
    Request request;
    request.statement = &statement;
    request.answer = &answer;
    return request;
}

}  // namespace

void Engine::start() {
    provide(Clock::now());
    arm(quick_tick);
}

void Engine::open(LaneState& lane) {
    Connection::Settings settings{.lane = lane.lane, .named_statements = options_.named_statements, .scope_extras = {}};
    if (!options_.named_statements) {
        settings.scope_extras = {std::to_string(lane.options.statement_timeout.count()),
                                 std::to_string(lane.options.lock_timeout.count()),
                                 std::to_string(options_.idle_in_transaction_timeout.count())};
    }
    auto const connection = std::make_shared<Connection>(loop_, *this, std::move(settings));
    connection->leased = true;  // until its role has been looked at
    lane.connections.push_back(connection);
    auto const& conninfo = conninfo_[static_cast<std::size_t>(lane.lane)];
    if (conninfo.needs_resolving()) {
        loop_.spawn("resolve the database's name", resolve_and_connect(shared_from_this(), connection));
    } else {
        connection->connect(conninfo);
    }
}

task<> Engine::resolve_and_connect(std::shared_ptr<Engine> self, std::shared_ptr<Connection> connection) {
    auto const& conninfo = self->conninfo_[static_cast<std::size_t>(connection->lane())];
    std::optional<Conninfo> resolved;
    std::string reason;
    auto const work = [conninfo] { return conninfo.resolved(); };
    try {
        resolved = co_await self->offload_.run(work);
    } catch (std::exception const& error) {
        reason = error.what();
    }
    if (self->shut_ || connection->broken()) co_return;
    if (resolved) {
        connection->connect(*resolved);
    } else {
        connection->lose(std::move(reason));
    }
}

void Engine::connected(Connection& connection) {
    auto const& check = system_ ? statements::ping : statements::bypasses_row_security;
    connection.own_request = own_request(check, connection.answer);
    connection.own = Exchange{.requests = {&connection.own_request, 1}};
    connection.send(connection.own);
}

// The engine's own question has been answered: the check of a new connection, or the ROLLBACK of a transaction.
void Engine::admit(Connection& connection) {
    if (!connection.ready()) return;
    if (connection.own.error) return connection.lose("the server refused what every connection begins and ends with");
    if (connection.admitted) {
        if (!connection.clean()) return connection.lose("a transaction could not be rolled back");
        return give_back(connection);
    }
    if (!system_ && connection.answer.value != 0) {
        return connection.lose("the role is not held by row-level security: it is a superuser or has BYPASSRLS");
    }
    if (failures_ > 0) log_.info("connected to PostgreSQL again", {{"attempts", failures_ + 1}});
    failures_ = 0;
    down_since_ = Clock::time_point::max();
    connects_.add();
    connection.admitted = true;
    give_back(connection);
    provide(Clock::now());
}

void Engine::lost(Connection& connection, std::string const& reason) {
    auto const alive = connection.shared_from_this();
    auto const now = Clock::now();
    lane_of(connection.lane()).remove(connection);
    connection.pass = {};  // its transaction is over, whether or not its owner knows
    if (connection.admitted) {
        losses_.add();
        log_.warning("lost a connection to PostgreSQL", {{"lane", name_of(connection.lane())}, {"reason", reason}});
    } else {
        connect_failures_.add();
        // Each failure of an outage is counted, its first one is logged.
        if (failures_++ == 0) log_.error("cannot connect to PostgreSQL", {{"reason", reason}});
        auto const longest = std::min(options_.backoff_limit, options_.backoff * (1u << std::min(failures_ - 1, 10u)));
        std::uniform_real_distribution<double> share(0.5, 1.0);
        next_attempt_ = now + std::chrono::duration_cast<Clock::duration>(longest * share(random_));
    }
    if (!healthy() && down_since_ == Clock::time_point::max()) down_since_ = now;
    provide(now);
    arm(quick_tick);
    settle();
}

// Opens what is wanted. While the server cannot be reached, one connection at a time tries, and not too often.
void Engine::provide(Clock::time_point now) {
    if (shut_) return;
    if (failures_ > 0) {
        if (now < next_attempt_) return;
        for (auto const& lane : lanes_) {
            for (auto const& each : lane.connections) {
                if (!each->admitted) return;
            }
        }
        auto& lane = lanes_.front().connections.size() < lanes_.front().options.connections ? lanes_[0] : lanes_[1];
        return open(lane);
    }
    for (auto& lane : lanes_) {
        for (auto missing = lane.wanted(now); missing > lane.connections.size();) open(lane);
    }
}

void Engine::discard(Connection& connection) {
    auto const alive = connection.shared_from_this();
    lane_of(connection.lane()).remove(connection);
    connection.close();
    provide(Clock::now());
}

void Engine::arm(Clock::duration delay) {
    if (shut_) return;
    auto const due = Clock::now() + delay;
    if (timer_due_ <= due) return;
    timer_due_ = due;
    timer_.expires_at(due);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        if (error) return;
        auto const self = weak.lock();
        if (self && !self->shut_) self->tick(Clock::now());
    });
}

void Engine::tick(Clock::time_point now) {
    // A loop that was held up itself has not read what the server may have said long ago.
    bool const late = now - timer_due_ > std::chrono::milliseconds{500};
    timer_due_ = Clock::time_point::max();
    bool anybody_waits = false;
    for (auto& lane : lanes_) {
        if (!late) check(lane, now);
        pump(lane);
        expire(lane, now);
        if (now >= next_publish_) lane.publish(now);
        anybody_waits |= !lane.waiting.empty();
    }
    if (now >= next_publish_) next_publish_ = now + slow_tick;
    provide(now);
    arm(anybody_waits || failures_ > 0 ? Clock::duration(quick_tick) : Clock::duration(slow_tick));
    settle();
}

void Engine::expire(LaneState& lane, Clock::time_point now) {
    while (!lane.waiting.empty() && now - lane.waiting.front()->since > options_.wait) {
        auto& exchange = *lane.waiting.front();
        lane.waiting.pop_front();
        lane.wait_seconds.observe(std::chrono::duration<double>(now - exchange.since).count());
        refuse(exchange, "No connection to the database became free in time.");
    }
}

void Engine::check(LaneState& lane, Clock::time_point now) {
    for (auto const& connection : lane.connections) {
        if (!connection->admitted && !connection->broken() && now - connection->made() > options_.connect_timeout) {
            connection->lose("no connection within the time allowed");
        } else if (connection->busy_for(now) > lane.silence_limit(options_.silence)) {
            connection->lose("the server has stopped answering");
        }
    }
    if (auto* const connection = lane.superfluous(now, options_.idle)) discard(*connection);
}

}  // namespace buildplan::postgres::detail
