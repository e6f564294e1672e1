#include "features/billing/routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/response.hpp"
#include "features/billing/service.hpp"

namespace buildplan::billing {
namespace {

using api::Call;
using api::Response;
using api::Shard;

task<Response> get_subscription_of(Shard& shard, Call const& call) {
    auto const found = co_await get_subscription(shard.postgres, call.principal());
    if (!found) throw problems::not_found();
    co_return api::with_etag(api::ok(found->subscription), found->subscription.id, found->version);
}

task<Response> get_usage(Shard& shard, Call const& call) {
    auto const report = co_await usage_report(shard, call.principal());
    co_return api::ok(report);
}

constexpr auto billing = api::tag("Billing", "What the organization pays for, and what it uses.");

constexpr api::Route table[] = {
    {"GET", "/v1/subscription", "org.billing.read", api::handle<get_subscription_of>, "Get the subscription", billing,
     api::returns<Subscription>().example(R"({"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "tier": "PRO",
    "status": "active", "currentPeriodStart": "2026-11-01T00:00:00.000Z", "currentPeriodEnd": "2026-12-01T00:00:00.000Z",
    "customLimits": {"api": 25000}, "limits": {"requests": 1000, "agents": 50, "api": 25000}})"),
     api::versioned},
    {"GET", "/v1/usage", "org.usage.read", api::handle<get_usage>, "Get the usage against the limits", billing,
     api::describe("This billing period and up to 36 before it, and where the limits by the hour stand."),
     api::returns<UsageReport>().example(R"({"tier": "PRO", "limits": {"requests": 1000, "agents": 50, "api": 10000},
    "hour": {"endsAt": "2026-11-23T18:00:00.000Z", "api": {"used": 311, "limit": 10000},
             "requests": {"used": 4, "limit": 1000}},
    "current": {"period": "2026-11-01T00:00:00.000Z", "requestsCreated": 212, "agentMinutes": 1840, "storageGB": 1.5,
                "apiCalls": 48211, "githubOperations": 96},
    "past": []})")},
};

}  // namespace

std::span<api::Route const> routes() noexcept { return table; }

}  // namespace buildplan::billing
