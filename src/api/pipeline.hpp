// Pipeline: the way of a request between the HTTP server and the handler of its route, on one shard. In this order:
// route (404, 405 with Allow), authentication (401), permission (403), rate limit (429), values of the path (404),
// If-Match where the route demands it (428), Idempotency-Key, handler, commit, If-None-Match (304). Refusals before the
// handler are answers, not exceptions; what a handler throws ends in `render`. Counts and logs every request, once.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "api/call.hpp"
#include "api/idempotency.hpp"
#include "api/limiter.hpp"
#include "api/route_metrics.hpp"
#include "api/shard.hpp"
#include "net/server.hpp"

namespace buildplan::api {

class Pipeline {
public:
    // `shard` outlives it.
    explicit Pipeline(Shard& shard);
    ~Pipeline();
    Pipeline(Pipeline const&) = delete;
    Pipeline& operator=(Pipeline const&) = delete;

    // For the server of this shard, which the pipeline outlives.
    [[nodiscard]] net::Hooks hooks();

private:
    // What is known of a request from its head to its last byte; Request::route points at it.
    struct Visit {
        RouteEntry const* entry = nullptr;
        PathValues values;
        std::shared_ptr<Principal const> principal;
        std::optional<Allowance> allowance;
        bool counted = false;  // as what the route counts as
    };

    net::BodyPolicy on_head(net::Request& request);
    task<net::Response> handle(net::Request& request);
    // The answer of what refuses the call before its handler; nothing to go on.
    task<std::optional<net::Response>> refusal(Visit& visit, net::Request const& request);
    task<net::Response> write(Call const& call);
    task<net::Response> attempt(Call const& call, std::optional<IdempotencyKey> const& key);
    [[nodiscard]] net::Response render(Problem const& problem, net::Request const& request) const;
    void finish(Visit const& visit, net::Response& response) const;
    void done(net::Request const& request, net::Outcome const& outcome) noexcept;

    // The call came to nothing.
    void give_back(Visit& visit) noexcept;

    static Visit* visit_of(net::Request const& request) noexcept;
    Visit* take_visit();
    void free(Visit* visit) noexcept;

    Shard& shard_;
    RouteMetrics metrics_;
    std::vector<std::string> deprecations_;  // the Deprecation header of each row, by number
    std::vector<std::string> sunsets_;
    std::deque<Visit> visits_;
    std::vector<Visit*> free_visits_;
};

}  // namespace buildplan::api
