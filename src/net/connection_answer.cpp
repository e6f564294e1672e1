// The part of Connection that has an answer in hand: framing, compressing and sending it, or streaming it.
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "net/connection.hpp"
#include "net/header_set.hpp"
#include "net/stream_writer.hpp"

namespace buildplan::net {
namespace {

constexpr std::size_t worth_reading = 64u << 10;     // of a body that nobody wants, to keep the connection
constexpr std::size_t coalesced_output = 64u << 10;  // of answers to pipelined requests, before they are sent
constexpr std::size_t copied_body = 16u << 10;       // larger ones go to the kernel from where they are
constexpr std::size_t deflated_at_once = 128u << 10;

bool has_no_body(int status) noexcept { return status < 200 || status == 204 || status == 304; }

}  // namespace

bool Connection::keep_after(Response const& response, RequestBody& body) {
    if (!exchange_->framing.keep_alive) return false;
    bool const whole = body.finished() || body.at_hand() || body.worth_discarding(worth_reading);
    bool const keep = whole && !response.close && !all_->draining() && requests_ < all_->settings.limits.requests;
    if (!keep) unread_ = true;
    return keep;
}

task<bool> Connection::answer(Request& request, Response& response, RequestBody& body) {
    auto const& settings = all_->settings;
    auto& x = *exchange_;
    if (response.upgrade && response.status == 101) {
        body.release();
        co_return co_await hand_over(response);
    }
    bool keep = keep_after(response, body);
    bool const head_only = request.method == "HEAD";
    bool const streamed = static_cast<bool>(response.stream) && !has_no_body(response.status);

    ResponseFraming framing;
    framing.http_1_0 = x.framing.http_1_0;
    bool const compressible = settings.gzip && response.compress && !response.stream &&
                              response.body.size() >= settings.gzip_from &&
                              (response.overrides() & header_set::content_encoding) == 0 &&
                              worth_compressing(response.header("Content-Type").value_or(response.content_type));
    framing.vary_encoding = compressible;
    framing.gzip = compressible && accepts_gzip(x.accept_encoding);
    if (framing.gzip) {
        auto deflater = all_->deflaters.borrow();
        std::string smaller;
        deflater->begin();
        std::string_view rest = response.body;
        do {
            auto const piece = rest.substr(0, deflated_at_once);
            rest.remove_prefix(piece.size());
            deflater->add(piece, rest.empty(), smaller);
            if (!rest.empty()) co_await asio::post(all_->loop().executor(), use_task);
        } while (!rest.empty());
        all_->deflaters.give_back(std::move(deflater));
        response.body = std::move(smaller);
    }
    using enum ResponseFraming::Body;
    if (has_no_body(response.status)) {
        framing.body = none;
    } else if (streamed) {
        framing.body = framing.http_1_0 ? until_close : chunked;
        if (framing.http_1_0) keep = false;
    } else {
        framing.length = response.body.size();
    }
    framing.close = !keep;

    auto const before = wire_.out.size();
    all_->head_writer.append(wire_.out, response, framing, {request.id, request.scheme, x.origin});
    sent_ = wire_.out.size() - before;
    bool const send_body = framing.body == length && !head_only;
    if (send_body) sent_ += response.body.size();
    bool const copied = send_body && response.body.size() <= copied_body;
    if (copied) wire_.out += response.body;

    bool sent = true;
    if (streamed && !head_only) {
        sent = co_await stream(response, framing.body == chunked);
    } else {
        std::string_view more = send_body && !copied ? std::string_view(response.body) : std::string_view{};
        bool const next_is_there = keep && body.more_behind() && wire_.out.size() < coalesced_output && more.empty();
        if (!next_is_there) {
            auto const now_sent = wire_.send_now(more);
            sent = now_sent == Wire::Sent::all;
            if (now_sent == Wire::Sent::some) sent = co_await send(more);
        }
    }
    if (!sent) gone_ = true;
    done(request, response.status, body.received(), sent);
    if (!sent || !keep) co_return false;
    if (!body.finished()) {
        bool const dropped = co_await body.discard();
        if (!dropped) co_return false;
    }
    body.release();
    co_return true;
}

task<bool> Connection::stream(Response& response, bool chunked) {
    StreamWriter writer(wire_, all_->settings.timeouts.write_progress, chunked, sent_);
    std::string failure;
    // The head goes first: what is streamed may be a long time coming.
    bool const begun = co_await send({});
    if (!begun) co_return false;
    wire_.enter(Phase::handler, Clock::duration::zero());
    in_handler_ = true;
    try {
        auto work = response.stream(writer);
        co_await std::move(work);
    } catch (boost::system::system_error const& error) {
        failure = error.what();
        if (wire_.cut_by() == Cut::no && error.code() == asio::error::broken_pipe) gone_ = true;
    } catch (std::exception const& error) {
        failure = error.what();
    } catch (...) {
        failure = "an exception that is none of std::exception";
    }
    in_handler_ = false;
    if (wire_.cut_by() != Cut::no) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        co_return false;
    }
    if (!failure.empty()) {
        if (!gone_)
            all_->loop().log().error("streamed answer failed",
                                     {{"requestId", exchange_->request.id}, {"error", failure}});
        co_return false;
    }
    if (chunked) {
        wire_.out += "0\r\n\r\n";
        sent_ += 5;
    }
    co_return co_await send({});
}

// The connection is no longer HTTP: gives it to whoever asked for it and closes it afterwards.
task<bool> Connection::hand_over(Response& response) {
    auto& x = *exchange_;
    all_->head_writer.append(wire_.out, response, {.body = ResponseFraming::Body::none, .upgrade = true},
                             {x.request.id, x.request.scheme, x.origin});
    sent_ = wire_.out.size();
    bool const sent = co_await send({});
    done(x.request, 101, 0, sent);
    if (!sent) co_return false;
    wire_.bound_total(Clock::time_point::max());
    wire_.enter(Phase::upgraded, Clock::duration::zero());
    auto takeover = std::move(response.upgrade);
    Upgraded upgraded{wire_.socket(), std::string(x.in.view())};
    exchange_.reset();
    in_handler_ = true;
    try {
        auto work = takeover(std::move(upgraded));
        co_await std::move(work);
    } catch (std::exception const& error) {
        if (wire_.cut_by() == Cut::no)
            all_->loop().log().error("upgraded connection failed", {{"error", error.what()}});
    }
    in_handler_ = false;
    gone_ = true;
    co_return false;
}

task<bool> Connection::send(std::string_view more) {
    bool const sent = co_await wire_.flush(more, all_->settings.timeouts.write_progress);
    if (!sent) gone_ = true;
    co_return sent;
}

void Connection::flush_pending() {
    flush_posted_ = false;
    if (in_handler_ && wire_.phase() == Phase::handler && !wire_.out.empty()) wire_.send_now();
}

void Connection::done(Request const& request, int status, std::uint64_t received, bool completed) {
    if (!all_->hooks.on_done) return;
    all_->hooks.on_done(request, Outcome{status, received, sent_, Clock::now() - request.started, completed});
}

}  // namespace buildplan::net
