// The part of Connection that has a request in hand: deciding about it, reading its body, running the handler.
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/connection.hpp"
#include "net/plain_problem.hpp"

namespace buildplan::net {

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
    line_ends_ = 0;
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
    if (!wire_.out.empty() && !std::exchange(flush_posted_, true)) {
        asio::post(all_->loop().executor(), [self = shared_from_this()] { self->flush_pending(); });
    }
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
                      plain_problem(problem.status, problem.code, problem.detail, request.id));
    if (problem.retry_after) response.header("Retry-After", std::to_string(problem.retry_after->count()));
    return response;
}

// Answers what is no acceptable request. Where the next one would begin is not known, so the connection ends.
task<bool> Connection::refuse(Refusal refusal) {
    all_->metrics.malformed.add();
    Response const response(refusal.status, content_type::problem,
                            plain_problem(refusal.status, refusal.code, refusal.detail, {}));
    all_->head_writer.append(wire_.out, response, {.length = response.body.size(), .close = true}, {});
    wire_.out += response.body;
    unread_ = true;
    wire_.mend();
    co_await send({});
    co_return false;
}

}  // namespace buildplan::net
