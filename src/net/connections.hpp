// Connections: what the connections of one loop have in common: the listening socket, the settings and hooks, the sweep
// that times them all, and the end. Lives as long as any of them does.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "net/cors.hpp"
#include "net/encoding.hpp"
#include "net/head_parser.hpp"
#include "net/head_writer.hpp"
#include "net/server.hpp"
#include "net/wire.hpp"
#include "runtime/completion.hpp"

namespace buildplan::net {

class Connection;

struct NetMetrics {
    explicit NetMetrics(metrics::Registry& registry);

    metrics::Gauge& open;
    metrics::Counter& accepted;
    metrics::Counter& refused;    // beyond the limit
    metrics::Counter& malformed;  // requests
    metrics::Counter& received;   // bytes
    metrics::Counter& sent;
    std::array<metrics::Counter*, cuts> cut;
};

class Connections : public std::enable_shared_from_this<Connections> {
public:
    Connections(Loop& loop, Listener listener, ServerSettings settings, Hooks hooks);

    void start();
    task<> drain(Clock::duration grace);
    // Cuts everything at once; nothing is waited for.
    void shut();

    [[nodiscard]] Loop& loop() noexcept { return loop_; }
    [[nodiscard]] bool draining() const noexcept { return draining_; }
    [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }

    ServerSettings const settings;
    HeadLimits const head_limits;
    Hooks const hooks;
    CorsPolicy const cors;
    HeadWriter head_writer;
    Deflaters deflaters;
    NetMetrics metrics;

private:
    friend class Connection;
    static task<> accept(std::shared_ptr<Connections> self);
    static task<> sweep(std::shared_ptr<Connections> self);
    static task<> turn_away(std::shared_ptr<Connections> self, TcpSocket socket);

    void admit(TcpSocket socket, asio::ip::tcp::endpoint const& peer);
    void stop_accepting();
    void leave(Connection& connection);
    void end_drain_if_empty();
    void sweep_once();
    void look_for_those_who_left(Clock::time_point now);

    Loop& loop_;
    TcpAcceptor acceptor_;
    Timer tick_;
    Clock::duration period_;
    std::vector<Connection*> open_;
    std::size_t turning_away_ = 0;
    bool draining_ = false, shut_ = false;
    Clock::time_point cut_at_ = Clock::time_point::max();
    Completion<bool> drained_;
};

}  // namespace buildplan::net
