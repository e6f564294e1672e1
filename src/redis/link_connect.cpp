// How a link comes up, goes down, and comes up again.
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include "core/random.hpp"
#include "redis/link.hpp"

namespace buildplan::redis {

task<> Link::run(std::shared_ptr<Link> self) {
    while (!self->stopped_) {
        std::string why;
        try {
            co_await self->connect();
            self->came_up();
            co_await self->read();
        } catch (boost::system::system_error const& e) {
            why = e.code().message();
        } catch (std::exception const& e) {
            why = e.what();
        }
        self->went_down(self->reason_.empty() ? why : self->reason_);
        if (self->stopped_) break;
        self->timer_.expires_after(self->next_backoff());
        co_await self->timer_.async_wait(asio::as_tuple(use_task));
    }
}

task<> Link::connect() {
    reason_.clear();
    ++connection_;
    timer_.expires_after(context_->options.connect_timeout);
    timer_.async_wait([self = shared_from_this(), connection = connection_](boost::system::error_code error) {
        if (!error && connection == self->connection_ && !self->up_) self->drop("Redis does not answer");
    });
    if (!endpoint_.path.empty()) {
        asio::local::stream_protocol::endpoint const path(endpoint_.path);
        co_await socket_.async_connect(asio::generic::stream_protocol::endpoint(path), use_task);
    } else {
        auto const port = std::to_string(endpoint_.port);
        auto const found = co_await resolver_.async_resolve(endpoint_.host, port, use_task);
        boost::system::error_code error = asio::error::host_not_found;
        for (auto const& each : found) {
            boost::system::error_code ignored;
            socket_.close(ignored);
            if (!reason_.empty()) break;
            std::tie(error) = co_await socket_.async_connect(asio::generic::stream_protocol::endpoint(each.endpoint()),
                                                             asio::as_tuple(use_task));
            if (!error) break;
        }
        if (error) throw boost::system::system_error(error);
        socket_.set_option(asio::ip::tcp::no_delay(true));
        socket_.set_option(asio::socket_base::keep_alive(true));
    }
    co_await greet();
    timer_.cancel();
    if (stopped_ || !reason_.empty()) throw boost::system::system_error(asio::error::operation_aborted);
}

// Says who we are, and has the server say that it can serve.
task<> Link::greet() {
    auto const& options = context_->options;
    std::string hello;
    std::size_t replies = 0;
    auto const say = [&](Command const& command) {
        command.encode(hello);
        ++replies;
    };
    if (!options.password.empty()) {
        say(options.user.empty() ? Command("AUTH", options.password) : Command("AUTH", options.user, options.password));
    }
    if (options.resp3) say(Command("HELLO", 3));
    if (options.database != 0) say(Command("SELECT", options.database));
    if (!options.client_name.empty()) say(Command("CLIENT", "SETNAME", options.client_name));
    say(Command("PING"));
    co_await asio::async_write(socket_, asio::buffer(hello), use_task);
    parser_ = Parser({.bulk = options.max_bulk, .bytes = 4 * options.max_bulk});
    while (replies > 0) {
        auto const size = co_await socket_.async_read_some(asio::buffer(in_), use_task);
        std::string_view bytes(in_.data(), size);
        while (auto const value = parser_.next(bytes)) {
            if (value->is_error()) throw ReplyError(*value);
            if (replies == 0) throw ProtocolError("Redis answered what nobody asked");
            --replies;
        }
    }
}

task<> Link::read() {
    while (up_) {
        auto const size = co_await socket_.async_read_some(asio::buffer(in_), use_task);
        received({in_.data(), size});
    }
}

void Link::came_up() {
    up_ = true;
    connected_ = true;
    backoff_ = {};
    last_received_ = Clock::now();
    context_->counts.up.add(1);
    context_->counts.connects.add();
    context_->loop.log().info("connected to Redis",
                              {{"redis", context_->options.name}, {"endpoint", endpoint_.to_string()}});
    came_up_.wake();
    if (auto const tell = on_state) tell(true);
}

void Link::went_down(std::string const& why) {
    drop({});
    ++connection_;
    writing_ = silent_ = false;
    out_.clear();
    sending_.clear();
    known_scripts_.clear();
    auto pending = std::exchange(pending_, {});
    first_pending_ += pending.size();
    context_->counts.in_flight.add(-static_cast<double>(pending.size()));
    context_->counts.lost.add(pending.size());
    bool const was_connected = std::exchange(connected_, false);
    // The first failure of many is told, and by the way what became of the rest: the log line of the next success.
    if (!stopped_ && !draining_ && (was_connected || connection_ <= 2)) {
        context_->loop.log().warning(
            "Redis is gone", {{"redis", context_->options.name}, {"endpoint", endpoint_.to_string()}, {"error", why}});
    }
    if (auto const tell = on_state; tell && was_connected) tell(false);
    auto const error =
        std::make_exception_ptr(Unavailable("the connection to Redis was lost: " + why, Unavailable::Sent::perhaps));
    for (auto& each : pending) {
        if (each.flight) each.flight->done.fail(error);
        each.done.fail(error);
    }
    drained_.wake();
}

// Doubles up to the limit; by chance between half of it and all of it, so that a thousand shards do not come back at
// once.
Clock::duration Link::next_backoff() {
    auto const& options = context_->options;
    backoff_ = backoff_.count() == 0 ? Clock::duration(options.backoff)
                                     : std::min<Clock::duration>(backoff_ * 2, options.max_backoff);
    std::array<std::uint8_t, 2> chance{};
    fill_random(chance);
    return backoff_ / 2 + backoff_ / 2 * (chance[0] * 256 + chance[1]) / 65536;
}

}  // namespace buildplan::redis
