// The half of Connection that has a request in hand: deciding, reading its body, running the handler, answering.
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/text.hpp"
#include "net/connection.hpp"
#include "net/header_set.hpp"

namespace buildplan::net {
namespace {

constexpr std::size_t worth_reading = 64 * 1024;     // of a body that nobody wants, to keep the connection
constexpr std::size_t coalesced_output = 64 * 1024;  // of answers to pipelined requests, before they are sent
constexpr std::size_t copied_body = 16 * 1024;       // larger ones go to the kernel from where they are
constexpr std::size_t deflated_at_once = 128 * 1024;

std::string problem_json(int status, std::string_view code, std::string_view detail, std::string_view id) {
    std::string json = R"({"type":"about:blank","title":)";
    append_json_string(json, status_phrase(status));
    json += ",\"status\":";
    json += std::to_string(status);
    json += ",\"detail\":";
    append_json_string(json, detail);
    json += ",\"code\":";
    append_json_string(json, code);
    if (!id.empty()) {
        json += ",\"requestId\":";
        append_json_string(json, id);
    }
    json += '}';
    return json;
}

bool has_no_body(int status) noexcept { return status < 200 || status == 204 || status == 304; }

class StreamWriter final : public BodyWriter {
public:
    StreamWriter(Wire& wire, Clock::duration progress, bool chunked, std::uint64_t& sent)
        : wire_(wire), progress_(progress), chunked_(chunked), sent_(sent) {}

    task<> write(std::string_view piece) override {
        if (piece.empty()) co_return;
        auto const before = wire_.out.size();
        if (chunked_) {
            char size[18];
            auto* const end = std::to_chars(size, size + 16, piece.size(), 16).ptr;
            wire_.out.append(size, end);
            wire_.out += "\r\n";
        }
        bool const small = piece.size() <= copied_body;
        if (small) {
            wire_.out += piece;
            if (chunked_) wire_.out += "\r\n";
        }
        sent_ += wire_.out.size() - before + (small ? 0 : piece.size());
        bool sent = co_await wire_.flush(small ? std::string_view{} : piece, progress_);
        if (sent && chunked_ && !small) {
            wire_.out += "\r\n";
            sent = co_await wire_.flush({}, progress_);
        }
        wire_.enter(Phase::handler, Clock::duration::zero());
        if (!sent)
            throw boost::system::system_error(wire_.cut_by() == Cut::write ? asio::error::timed_out
                                                                           : asio::error::broken_pipe);
    }

private:
    Wire& wire_;
    Clock::duration progress_;
    bool chunked_;
    std::uint64_t& sent_;
};

}  // namespace

task<bool> Connection::serve() {
    auto& x = *exchange_;
    auto& request = x.request;
    auto const& settings = all_->settings;
    // The vectors keep their memory from one request to the next.
    auto query = std::move(request.query);
    auto headers = std::move(request.headers);
    query.clear();
    headers.clear();
    request = Request{};
    request.query = std::move(query);
    request.headers = std::move(headers);
    auto const framing = parse_head(x.in.view().substr(0, head_size_), all_->head_limits, request, x.decoded);
    if (!framing) co_return co_await refuse(framing.error());
    x.framing = *framing;
    scan_.reset();
    ++requests_;
    sent_ = 0;
    identify(request);

    BodyPolicy policy;
    auto response = early_answer(request, policy);
    auto const total = policy.total.value_or(settings.timeouts.total);
    wire_.bound_total(total == Clock::duration::zero() ? Clock::time_point::max() : started_ + total);

    RequestBody body(wire_, x.in, head_size_, x.framing, settings.timeouts);
    body.limit(policy.limit.value_or(settings.limits.body));
    if (!response) {
        if (body.too_long()) {
            response = render({413, "body-too-large", "The body of the request is too large."}, request);
        } else if (policy.streamed) {
            request.body_reader = &body;
        } else if (auto const all = body.at_hand()) {
            request.body = *all;
        } else {
            response = co_await read_body(request, body);
        }
    }
    if (!response && !gone_) response = co_await handle(request, body);
    if (gone_ || !response) {
        done(request, 499, body.received(), false);
        co_return false;
    }
    bool const again = co_await answer(request, *response, body);
    wire_.bound_total(Clock::time_point::max());
    if (again && !x.in.empty()) started_ = Clock::now();
    co_return again;
}

// What can be said before the body is there: OPTIONS, and what the upper floor refuses.
std::optional<Response> Connection::early_answer(Request& request, BodyPolicy& policy) {
    auto const& hooks = all_->hooks;
    try {
        if (hooks.allowed_methods && request.method == "OPTIONS") return options(request);
        if (!hooks.on_head) return std::nullopt;
        policy = hooks.on_head(request);
        return std::exchange(policy.refuse, std::nullopt);
    } catch (Problem const& problem) {
        return render(problem, request);
    } catch (std::exception const& error) {
        all_->loop().log().error("request failed",
                                 {{"requestId", request.id}, {"path", request.raw_path}, {"error", error.what()}});
        return render(problems::internal(), request);
    }
}

Response Connection::options(Request const& request) {
    auto const allowed = all_->hooks.allowed_methods(request);
    if (allowed.empty()) return render(problems::not_found(), request);
    Response response(204);
    response.header("Allow", allowed);
    if (request.header("Access-Control-Request-Method")) {
        all_->cors.answer_preflight(response, exchange_->origin, allowed);
    }
    return response;
}

// Nothing when it is all there.
task<std::optional<Response>> Connection::read_body(Request& request, RequestBody& body) {
    std::optional<Response> response;
    try {
        exchange_->body.clear();
        request.body = co_await body.whole(exchange_->body);
    } catch (Problem const& problem) {
        response = render(problem, request);
    } catch (boost::system::system_error const&) {
        gone_ = true;
    }
    // The time is over for the request, not for telling so.
    wire_.bound_total(Clock::time_point::max());
    wire_.mend();
    co_return response;
}

task<std::optional<Response>> Connection::handle(Request& request, RequestBody& body) {
    std::optional<Response> response;
    std::string failure;
    // Answers to earlier pipelined requests do not wait for a handler that takes its time.
    if (!wire_.out.empty()) asio::post(all_->loop().executor(), [self = shared_from_this()] { self->flush_pending(); });
    wire_.enter(Phase::handler, Clock::duration::zero());
    more_behind_ = body.more_behind();
    in_handler_ = true;
    try {
        auto work = all_->hooks.handler(request);
        response = co_await std::move(work);
    } catch (Problem const& problem) {
        response = render(problem, request);
    } catch (std::exception const& error) {
        failure = error.what();
    } catch (...) {
        failure = "an exception that is none of std::exception";
    }
    in_handler_ = false;
    auto const cut = wire_.cut_by();
    if (cut != Cut::no) {
        // The cancellation has done its work, and what follows is not to be cancelled by it.
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        wire_.bound_total(Clock::time_point::max());
        wire_.mend();
    }
    if (cut == Cut::left || body.broken()) {
        gone_ = true;
        co_return std::nullopt;
    }
    if (response) co_return response;
    if (cut == Cut::total || cut == Cut::drain) {
        response = render(
            problems::unavailable(cut == Cut::total ? "The request took too long." : "The server is shutting down."),
            request);
        response->close = true;
        co_return response;
    }
    all_->loop().log().error("request failed", {{"requestId", request.id},
                                                {"traceId", request.trace.trace_id()},
                                                {"method", request.method},
                                                {"path", request.raw_path},
                                                {"error", failure}});
    co_return render(problems::internal(), request);
}

Response Connection::render(Problem const& problem, Request const& request) {
    if (all_->hooks.render) {
        try {
            return all_->hooks.render(problem, request);
        } catch (std::exception const& error) {
            all_->loop().log().error("cannot render a problem", {{"requestId", request.id}, {"error", error.what()}});
        }
    }
    Response response(problem.status, content_type::problem,
                      problem_json(problem.status, problem.code, problem.detail, request.id));
    if (problem.retry_after) response.header("Retry-After", std::to_string(problem.retry_after->count()));
    return response;
}

// Answers what is no acceptable request. Where the next one would begin is not known, so the connection ends.
task<bool> Connection::refuse(Refusal refusal) {
    all_->metrics.malformed.add();
    Response const response(refusal.status, content_type::problem,
                            problem_json(refusal.status, refusal.code, refusal.detail, {}));
    all_->head_writer.append(wire_.out, response, {.length = response.body.size(), .close = true}, {});
    wire_.out += response.body;
    unread_ = true;
    wire_.mend();
    co_await send({});
    co_return false;
}

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
    if (in_handler_ && wire_.phase() == Phase::handler && !wire_.out.empty()) wire_.send_now();
}

void Connection::done(Request const& request, int status, std::uint64_t received, bool completed) {
    if (!all_->hooks.on_done) return;
    all_->hooks.on_done(request, Outcome{status, received, sent_, Clock::now() - request.started, completed});
}

}  // namespace buildplan::net
