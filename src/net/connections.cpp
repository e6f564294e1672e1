#include "net/connections.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>

#include "net/connection.hpp"
#include "net/plain_problem.hpp"

namespace buildplan::net {
namespace {

constexpr std::string_view cut_names[cuts] = {"",      "first_byte", "idle", "head",        "body",
                                              "write", "total",      "",     "client_left", "drain"};
constexpr auto longest_period = std::chrono::milliseconds{200};
constexpr auto after_drain = std::chrono::seconds{1};  // for what was cut to come to its end
constexpr std::size_t max_turning_away = 128;

Clock::duration period_of(Timeouts const& timeouts) {
    Clock::duration shortest = longest_period * 4;
    for (auto const each : {timeouts.first_byte, timeouts.idle, timeouts.head, timeouts.body_progress,
                            timeouts.write_progress, timeouts.total, timeouts.buffers, timeouts.linger}) {
        if (each > Clock::duration::zero()) shortest = std::min(shortest, each);
    }
    return std::max<Clock::duration>(shortest / 4, std::chrono::milliseconds{5});
}

TcpAcceptor adopt(Loop& loop, Listener& listener) {
    auto const protocol = listener.v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
    return {loop.io(), protocol, listener.release()};
}

bool out_of_resources(boost::system::error_code const& error) {
    return error == asio::error::no_descriptors || error == asio::error::no_memory ||
           error == asio::error::no_buffer_space || error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

NetMetrics::NetMetrics(metrics::Registry& registry)
    : open(registry.gauge("buildplan_http_connections", "Open connections of clients.")),
      accepted(registry.counter("buildplan_http_connections_accepted_total", "Connections accepted.")),
      refused(
          registry.counter("buildplan_http_connections_refused_total", "Connections beyond the limit, answered 503.")),
      malformed(registry.counter("buildplan_http_malformed_requests_total",
                                 "Requests refused before routing: not HTTP, or out of bounds.")),
      received(registry.counter("buildplan_http_received_bytes_total", "Bytes from clients.")),
      sent(registry.counter("buildplan_http_sent_bytes_total", "Bytes to clients.")),
      cut{} {
    for (std::size_t i = 0; i < cuts; ++i) {
        if (cut_names[i].empty()) continue;
        cut[i] = &registry.counter("buildplan_http_connections_cut_total",
                                   "Connections interrupted, by what they ran out of.", {{"reason", cut_names[i]}});
    }
}

Connections::Connections(Loop& loop, Listener listener, ServerSettings settings_, Hooks hooks_)
    : settings(std::move(settings_)),
      head_limits{settings.limits.head, settings.limits.target, settings.limits.headers,
                  settings.limits.query_parameters},
      hooks(std::move(hooks_)),
      cors(settings.cors),
      head_writer(cors, settings.hsts),
      metrics(loop.metrics()),
      loop_(loop),
      acceptor_(adopt(loop, listener)),
      tick_(loop.io()),
      period_(period_of(settings.timeouts)) {}

void Connections::start() {
    loop_.spawn("accept connections", accept(shared_from_this()));
    loop_.spawn("time connections", sweep(shared_from_this()));
}

task<> Connections::accept(std::shared_ptr<Connections> self) {
    bool exhausted = false;
    for (;;) {
        boost::system::error_code error;
        asio::ip::tcp::endpoint peer;
        auto socket = co_await self->acceptor_.async_accept(peer, asio::redirect_error(use_task, error));
        if (!self->acceptor_.is_open()) co_return;
        if (out_of_resources(error)) {
            // The connection stays in the kernel's queue; trying again at once would only burn the core.
            if (!std::exchange(exhausted, true))
                self->loop_.log().warning("cannot accept connections", {{"error", error.message()}});
            co_await sleep_for(std::chrono::milliseconds{100});
            continue;
        }
        if (error) continue;  // the client was gone before we came to it
        exhausted = false;
        self->admit(std::move(socket), peer);
    }
}

void Connections::admit(TcpSocket socket, asio::ip::tcp::endpoint const& peer) {
    metrics.accepted.add();
    if (open_.size() >= settings.limits.connections) {
        metrics.refused.add();
        if (turning_away_ < max_turning_away)
            loop_.spawn("refuse a connection", turn_away(shared_from_this(), std::move(socket)));
        return;
    }
    auto const connection = std::make_shared<Connection>(shared_from_this(), std::move(socket), peer);
    connection->index = open_.size();
    open_.push_back(connection.get());
    metrics.open.set(static_cast<double>(open_.size()));
    connection->start();
}

task<> Connections::turn_away(std::shared_ptr<Connections> self, TcpSocket socket) {
    Response response(503, content_type::problem,
                      plain_problem(503, "too-many-connections", "Too many connections; try again shortly.", {}));
    response.header("Retry-After", "1");
    Wire wire(std::move(socket), self->metrics.received, self->metrics.sent);
    self->head_writer.append(wire.out, response, {.length = response.body.size(), .close = true}, {});
    wire.out += response.body;
    ++self->turning_away_;
    if (wire.send_now() == Wire::Sent::all) {
        boost::system::error_code ignored;
        wire.socket().shutdown(TcpSocket::shutdown_send, ignored);
        Timer timer(self->loop_.io(), std::chrono::seconds{1});
        co_await timer.async_wait(asio::redirect_error(use_task, ignored));
    }
    --self->turning_away_;
}

void Connections::leave(Connection& connection) {
    if (connection.index == Connection::nowhere) return;
    auto const last = open_.back();
    open_[connection.index] = last;
    last->index = connection.index;
    open_.pop_back();
    connection.index = Connection::nowhere;
}

void Connections::end_drain_if_empty() {
    metrics.open.set(static_cast<double>(open_.size()));
    if (drained_ && open_.empty()) std::exchange(drained_, {})(true);
}

task<> Connections::sweep(std::shared_ptr<Connections> self) {
    while (!self->shut_ || !self->open_.empty()) {
        boost::system::error_code ignored;
        self->tick_.expires_after(self->period_);
        co_await self->tick_.async_wait(asio::redirect_error(use_task, ignored));
        self->sweep_once();
    }
}

void Connections::sweep_once() {
    auto const now = coarse_now();
    std::vector<std::pair<std::shared_ptr<Connection>, Cut>> expired;
    bool const over = shut_ || now >= cut_at_;
    for (auto* const connection : open_) {
        auto const reason = over ? Cut::drain : connection->wire().expired(now);
        if (reason != Cut::no) {
            expired.emplace_back(connection->shared_from_this(), reason);
        } else if (connection->idle() && now - connection->wire().since() >= settings.timeouts.buffers) {
            connection->cool();
        }
    }
    // Cutting resumes tasks, which may end connections.
    for (auto const& [connection, reason] : expired) connection->cut(reason);
    look_for_those_who_left(now);
    end_drain_if_empty();
    // What does not react to being cut must not hold up the end of the process.
    if (drained_ && now >= cut_at_ + after_drain) std::exchange(drained_, {})(false);
}

// One system call for all whose handler has been running for a while, instead of an event for every request.
void Connections::look_for_those_who_left(Clock::time_point now) {
    std::vector<pollfd> polled;
    std::vector<std::shared_ptr<Connection>> who;
    for (auto* const connection : open_) {
        if (!connection->in_handler() || connection->wire().phase() != Phase::handler) continue;
        if (now - connection->wire().since() < period_ / 2) continue;
        polled.push_back({connection->wire().fd(), POLLRDHUP, 0});
        who.push_back(connection->shared_from_this());
    }
    if (polled.empty() || ::poll(polled.data(), polled.size(), 0) <= 0) return;
    for (std::size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents == 0 || !who[i]->in_handler()) continue;
        if (!who[i]->more_behind() && who[i]->wire().left(polled[i].revents)) who[i]->cut(Cut::left);
    }
}

void Connections::stop_accepting() {
    if (!acceptor_.is_open()) return;
    // Those whom the kernel has already told that they are connected.
    boost::system::error_code error;
    acceptor_.non_blocking(true, error);
    while (!error) {
        asio::ip::tcp::endpoint peer;
        auto socket = acceptor_.accept(peer, error);
        if (!error) admit(std::move(socket), peer);
    }
    acceptor_.close(error);
}

task<> Connections::drain(Clock::duration grace) {
    auto const self = shared_from_this();
    stop_accepting();
    draining_ = true;
    cut_at_ = coarse_now() + grace;
    // Who is idle as we see it may have a request on its way: it is answered, with `Connection: close`.
    for (auto* const connection : open_) {
        if (connection->idle())
            connection->wire().enter(connection->wire().phase(),
                                     std::min<Clock::duration>(grace, settings.timeouts.drained));
    }
    if (open_.empty()) co_return;
    co_await completed<bool>([&](Completion<bool> done) { drained_ = std::move(done); });
}

void Connections::shut() {
    shut_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    tick_.cancel();
}

Server::Server(Loop& loop, Listener listener, ServerSettings settings, Hooks hooks)
    : connections_(std::make_shared<Connections>(loop, std::move(listener), std::move(settings), std::move(hooks))) {}
Server::~Server() { connections_->shut(); }
void Server::start() { connections_->start(); }
task<> Server::drain(std::chrono::steady_clock::duration grace) { return connections_->drain(grace); }
std::size_t Server::connections() const noexcept { return connections_->size(); }

}  // namespace buildplan::net
