#include "api/pipeline.hpp"

#include <chrono>

#include "api/authenticator.hpp"
#include "api/http_date.hpp"
#include "api/problem_response.hpp"
#include "api/query_reader.hpp"
#include "api/tx.hpp"
#include "core/text.hpp"
#include "postgres/bell.hpp"
#include "postgres/pool.hpp"
#include "postgres/retry.hpp"

namespace buildplan::api {
namespace {

void say_allowance(net::Response& response, Allowance const& allowance) {
    response.header("RateLimit-Limit", std::to_string(allowance.limit));
    response.header("RateLimit-Remaining", std::to_string(std::max<std::int64_t>(allowance.remaining, 0)));
    response.header("RateLimit-Reset", std::to_string(allowance.resets_in.count()));
}

std::string why_nobody(net::Request const& request) {
    auto const header = request.header("Authorization");
    if (!header) return "Send a token or key: Authorization: Bearer …";
    if (!ascii_iequals(header->substr(0, 7), "Bearer ")) return "Authorization begins with the word Bearer.";
    return "The token or key is unknown, expired or revoked.";
}

}  // namespace

Pipeline::Pipeline(Shard& shard) : shard_(shard), metrics_(shard.loop.metrics(), shard.constants.router) {
    for (auto const& entry : shard.constants.router.entries()) {
        deprecations_.push_back(deprecation_header(entry.route->deprecated_since));
        sunsets_.push_back(sunset_header(entry.route->sunset));
    }
}

Pipeline::~Pipeline() = default;

net::Hooks Pipeline::hooks() {
    return {
        .handler = [this](net::Request& request) { return handle(request); },
        .on_head = [this](net::Request& request) { return on_head(request); },
        .allowed_methods =
            [this](net::Request const& request) {
                auto const methods = shard_.constants.router.methods(request.path);
                return methods.empty() ? std::string{} : methods.allow();
            },
        .render = [this](Problem const& problem, net::Request const& request) { return render(problem, request); },
        .on_done = [this](net::Request const& request, net::Outcome const& outcome) { done(request, outcome); },
    };
}

net::BodyPolicy Pipeline::on_head(net::Request& request) {
    net::BodyPolicy policy;
    auto const match = shard_.constants.router.find(request.method, request.path);
    if (!match.entry) {
        if (match.allowed.empty()) {
            policy.refuse = problem_response(problems::not_found(), request);
        } else {
            auto const allow = match.allowed.allow();
            policy.refuse = problem_response({405, "method-not-allowed", "This path takes " + allow + "."}, request);
            policy.refuse->header("Allow", allow);
        }
        return policy;
    }
    auto* const visit = take_visit();
    visit->entry = match.entry;
    request.route = visit;
    metrics_.begun();
    policy.limit = match.entry->route->body_limit;
    return policy;
}

task<std::optional<net::Response>> Pipeline::refusal(Visit& visit, net::Request const& request) {
    auto const& route = *visit.entry->route;
    if (route.access.kind != Access::Kind::anybody) {
        visit.principal = co_await shard_.authenticator.authenticate(shard_, request);
        if (!visit.principal) {
            co_return problem_response(problems::unauthenticated(why_nobody(request)), request);
        }
        if (shard_.limiter && !route.unlimited) {
            visit.allowance = co_await shard_.limiter->count(*visit.principal, route);
            if (visit.allowance && visit.allowance->remaining < 0) {
                co_return problem_response(problems::too_many_requests(visit.allowance->resets_in), request);
            }
            visit.counted = !route.counted_as.empty();
        }
        if (route.access.kind == Access::Kind::permission && !visit.principal->has_organization()) {
            co_return problem_response(
                {403, "organization-required", "You work in no organization now; POST /auth/switch-org chooses one."},
                request);
        }
        if (route.access.kind == Access::Kind::permission && visit.principal->organization_deleted()) {
            co_return problem_response(
                {403, "organization-deleted", "The organization is being deleted; until then an owner can restore it."},
                request);
        }
        if (route.access.kind == Access::Kind::permission && !visit.principal->may(route.access.permission)) {
            auto detail = "This needs the permission " + std::string(route.access.permission) + ".";
            co_return problem_response(problems::forbidden(std::move(detail)), request);
        }
        if (route.access.kind == Access::Kind::installation && !visit.principal->owns_installation()) {
            co_return problem_response(problems::forbidden("This is for owners of the installation."), request);
        }
    }
    visit.values = read_path(*visit.entry, request.raw_path);
    if (!visit.values.fit) co_return problem_response(problems::not_found(), request);
    if (route.access.kind != Access::Kind::anybody) {
        auto errors = misfits_of_query(request.query, route);
        if (!errors.empty()) co_return problem_response(problems::invalid(std::move(errors)), request);
    }
    if (route.match_required && !request.header("If-Match")) {
        co_return problem_response(
            {428, "precondition-required", "Send If-Match with the ETag of the version that you saw."}, request);
    }
    co_return std::nullopt;
}

task<net::Response> Pipeline::handle(net::Request& request) {
    auto& visit = *visit_of(request);
    auto refused = co_await refusal(visit, request);
    if (refused) {
        finish(visit, *refused);
        co_return std::move(*refused);
    }
    auto const& route = *visit.entry->route;
    Call const call(shard_, request, *visit.entry, visit.values, visit.principal);
    net::Response response;
    if (route.writes()) {
        response = co_await write(call);
    } else {
        response = co_await route.handler.read(shard_, call);
    }
    // Whatever was written may be an event: sign-in and its like write, too, by transactions of their own.
    if (shard_.bell && route.method != Method::get && response.status < 400) shard_.bell->ring();
    if (route.takes_if_none_match() && response.status == 200) {
        auto const wanted = request.header("If-None-Match");
        auto const etag = response.header("ETag");
        if (wanted && etag && none_match_names(*wanted, *etag)) {
            net::Response unchanged(304);
            unchanged.header("ETag", *etag);
            response = std::move(unchanged);
        }
    }
    if (response.has("Idempotent-Replayed")) give_back(visit);
    finish(visit, response);
    co_return response;
}

// When a connection is lost at the commit, nobody knows whether there was one. With a key it can be found out: the next
// attempt either gets the kept answer or does the work.
task<net::Response> Pipeline::write(Call const& call) {
    auto const key = call.route().takes_idempotency_key() ? read_idempotency_key(call) : std::nullopt;
    auto const make = [this, &call, &key] { return attempt(call, key); };
    if (key) {
        try {
            co_return co_await postgres::with_retries(make);
        } catch (postgres::OutcomeUnknown const&) {
            call.log().warning("the commit of a keyed request was lost and is looked up");
        }
    }
    co_return co_await postgres::with_retries(make);
}

task<net::Response> Pipeline::attempt(Call const& call, std::optional<IdempotencyKey> const& key) {
    auto tx = shard_.postgres.begin(call.principal(), call.actor(),
                                    call.route().heavy ? postgres::Lane::heavy : postgres::Lane::exclusive);
    if (key) {
        auto stored = co_await claim(tx, *key);
        if (stored) {
            co_await tx.rollback();
            co_return std::move(*stored);
        }
    }
    Tx held(tx, key.has_value());
    auto response = co_await call.route().handler.write(held, call);
    if (response.status >= 400) {
        if (tx.open()) co_await tx.rollback();
    } else {
        if (key) {
            co_await keep_and_commit(tx, *key, response);
        } else if (tx.open()) {
            co_await tx.commit();
        }
        held.committed();
    }
    co_return response;
}

net::Response Pipeline::render(Problem const& problem, net::Request const& request) const {
    auto response = problem_response(problem, request);
    if (auto const* visit = visit_of(request)) finish(*visit, response);
    return response;
}

void Pipeline::finish(Visit const& visit, net::Response& response) const {
    auto const& route = *visit.entry->route;
    if (visit.allowance) say_allowance(response, *visit.allowance);
    if (route.access.kind != Access::Kind::anybody && !response.has("Cache-Control")) {
        response.header("Cache-Control", response.has("ETag") ? "private, no-cache" : "no-store");
    }
    if (auto const& since = deprecations_[visit.entry->number]; !since.empty()) response.header("Deprecation", since);
    if (auto const& date = sunsets_[visit.entry->number]; !date.empty()) response.header("Sunset", date);
}

void Pipeline::done(net::Request const& request, net::Outcome const& outcome) noexcept {
    auto* const visit = visit_of(request);
    auto const* entry = visit ? visit->entry : nullptr;
    metrics_.answered(entry, outcome.status, outcome.duration);
    if (shard_.loop.log().wants(LogLevel::info)) {
        auto const milliseconds = std::chrono::duration<double, std::milli>(outcome.duration).count();
        shard_.loop.log().info(
            "request",
            {{"requestId", request.id},
             {"traceId", request.trace.trace_id()},
             {"method", request.method},
             {"route", entry ? entry->route->path : std::string_view{"unmatched"}},
             {"status", outcome.status},
             {"ms", milliseconds},
             {"organization", visit && visit->principal ? visit->principal->organization_text() : std::string_view{}},
             {"remote", request.remote},
             {"received", outcome.received},
             {"sent", outcome.sent}});
    }
    if (visit) {
        if (outcome.status >= 400) give_back(*visit);
        metrics_.ended();
        free(visit);
    }
}

Pipeline::Visit* Pipeline::visit_of(net::Request const& request) noexcept {
    return static_cast<Visit*>(const_cast<void*>(request.route));
}

Pipeline::Visit* Pipeline::take_visit() {
    if (free_visits_.empty()) {
        free_visits_.reserve(visits_.size() + 1);  // so that freeing never allocates
        return &visits_.emplace_back();
    }
    auto* const visit = free_visits_.back();
    free_visits_.pop_back();
    return visit;
}

void Pipeline::give_back(Visit& visit) noexcept {
    if (!std::exchange(visit.counted, false)) return;
    shard_.limiter->give_back(*visit.principal, *visit.entry->route);
}

void Pipeline::free(Visit* visit) noexcept {
    *visit = Visit{};
    free_visits_.push_back(visit);
}

}  // namespace buildplan::api
