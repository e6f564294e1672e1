// Engine: what is behind a pool. Gives exchanges to connections, lane by lane; makes and remakes connections; completes
// the callers. Exchanges and the coroutines that own them come and go on the loop's thread only. A caller is never
// resumed from inside its own call, and never while a connection is being read.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>

#include "postgres/detail/lane_state.hpp"
#include "postgres/detail/slow_statements.hpp"
#include "runtime/offload.hpp"

namespace buildplan::postgres::detail {

class Engine final : public Connection::Owner, public std::enable_shared_from_this<Engine> {
public:
    Engine(Loop& loop, Offload& offload, Options options, bool system);
    ~Engine();

    void start();
    // Closes everything at once; whoever waits is told so, from the loop.
    void shut();
    // Lets nobody in, waits until all have left, closes.
    task<> close();
    [[nodiscard]] bool healthy() const noexcept;

    // Sends as soon as the lane has a connection, and completes with the answer. Throws what the exchange failed with.
    task<bool> perform(Exchange& exchange);
    // The same on the connection of a transaction.
    task<bool> perform_on(Connection& connection, Exchange& exchange);
    // A transaction is over for its owner; its connection is cleaned and serves others.
    void release(std::shared_ptr<Connection> const& connection);

    // What tells the server who asks, and, where `acting`, who acts.
    [[nodiscard]] Statement const& scope(bool acting = false) const noexcept { return acting ? *acting_ : *scope_; }

private:
    void connected(Connection& connection) override;
    void finished(Connection& connection, Exchange& exchange) override;
    void progressed(Connection& connection) override;
    void lost(Connection& connection, std::string const& reason) override;

    // engine.cpp: exchanges
    void submit(Exchange& exchange);
    void enqueue(Exchange& exchange, LaneState& lane, Clock::time_point now);
    void dispatch(Connection& connection, Exchange& exchange);
    void pump(LaneState& lane);
    bool run_again(Connection& connection, Exchange& exchange);
    [[nodiscard]] bool is_slow(Exchange const& exchange, Clock::time_point now) const;
    void refuse(Exchange& exchange, std::string detail);
    void finish(Exchange& exchange);
    void settle();
    void complete(Exchange& exchange);
    void cancelled(Exchange& exchange);
    void count_work(std::string_view work);

    // leases.cpp: connections of transactions
    void give_back(Connection& connection);
    void cancel_in_server(Connection& connection);
    static task<> send_cancel(std::shared_ptr<Engine> self, std::shared_ptr<Connection> connection);

    // upkeep.cpp: connections
    void admit(Connection& connection);
    void open(LaneState& lane);
    static task<> resolve_and_connect(std::shared_ptr<Engine> self, std::shared_ptr<Connection> connection);
    void provide(Clock::time_point now);
    void discard(Connection& connection);
    void arm(Clock::duration delay);
    void tick(Clock::time_point now);
    void expire(LaneState& lane, Clock::time_point now);
    void check(LaneState& lane, Clock::time_point now);

    LaneState& lane_of(Lane lane) noexcept { return lanes_[static_cast<std::size_t>(lane)]; }
    void count_error(std::string_view failure);

    Loop& loop_;
    Offload& offload_;
    Options options_;
    bool system_;
    Statement const* scope_;
    Statement const* acting_;
    Log log_;
    std::string_view pool_name_;
    std::array<LaneState, lane_count> lanes_;
    std::array<Conninfo, lane_count> conninfo_;
    SlowStatements slow_;
    std::vector<Exchange*> finished_;
    bool settling_ = false;
    bool settle_posted_ = false;
    bool shut_ = false;
    Gate gate_;

    Timer timer_;
    Clock::time_point timer_due_ = Clock::time_point::max();
    Clock::time_point next_publish_ = {};
    unsigned failures_ = 0;  // to connect, since the last success
    Clock::time_point next_attempt_ = {};
    Clock::time_point down_since_ = Clock::time_point::max();
    std::minstd_rand random_;

    metrics::Counter& connects_;
    metrics::Counter& connect_failures_;
    metrics::Counter& losses_;
    metrics::Counter& moved_;
    std::unordered_map<std::string_view, metrics::Counter*> errors_;
    std::map<std::string, metrics::Counter*, std::less<>> works_;
};

}  // namespace buildplan::postgres::detail
