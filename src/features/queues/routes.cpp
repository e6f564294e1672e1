#include "features/queues/routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/queues/service.hpp"

namespace buildplan::queues {
namespace {

using api::Call;
using api::Response;
using api::Shard;

std::string queue_of(Call const& call) {
    auto queue = call.path<std::string>("queue");
    if (!is_known(queue)) throw problems::not_found();
    return queue;
}

redis::Client& queue_server(Shard& shard) {
    if (shard.queue == nullptr) throw problems::unavailable("The queue cannot be reached.");
    return *shard.queue;
}

task<Response> list_queues(Shard& shard, Call const&) {
    auto const all = co_await list(shard.system, shard.queue);
    co_return api::ok(all);
}

task<Response> get_queue(Shard& shard, Call const& call) {
    auto queue = queue_of(call);
    auto const found = co_await get(shard.system, shard.queue, std::move(queue));
    if (!found) throw problems::not_found();
    co_return api::ok(*found);
}

task<Response> list_dead_jobs(Shard& shard, Call const& call) {
    auto queue = queue_of(call);
    auto found =
        co_await dead_jobs(shard.system, std::move(queue), call.after<Timestamp, EntryId>(), api::rows_for(call));
    auto const item = [](DeadJob&& job) { return std::move(job); };
    auto const page =
        api::page_of(call, std::move(found), item, [](auto const& job) { return std::tuple{job.failed_at, job.id}; });
    co_return api::ok(page);
}

task<Response> retry_job(Shard& shard, Call const& call) {
    auto queue = queue_of(call);
    auto const actor = call.actor();
    bool const again = co_await retry(shard.system, actor, std::move(queue), call.path<EntryId>("jobId"));
    if (!again) throw problems::not_found();
    co_return api::no_content();
}

task<Response> retry_all_jobs(Shard& shard, Call const& call) {
    auto queue = queue_of(call);
    auto const jobs = co_await retry_all(shard.system, queue);
    call.log().info("dead jobs are retried", {{"queue", queue}, {"jobs", jobs}});
    co_return api::ok(Affected{jobs});
}

task<Response> pause_queue(Shard& shard, Call const& call) {
    auto queue = queue_of(call);
    co_await pause(shard.system, queue);
    call.log().info("a queue is paused", {{"queue", queue}});
    co_return api::no_content();
}

task<Response> resume_queue(Shard& shard, Call const& call) {
    auto queue = queue_of(call);
    co_await resume(shard.system, shard.queue, queue);
    call.log().info("a queue is resumed", {{"queue", queue}});
    co_return api::no_content();
}

task<Response> drain_queue(Shard& shard, Call const& call) {
    auto queue = queue_of(call);
    auto& redis = queue_server(shard);
    Affected given_up;
    try {
        given_up.jobs = co_await drain(shard.system, redis, queue);
    } catch (redis::Failure const&) {
        throw problems::unavailable("The queue cannot be reached.");
    }
    call.log().info("a queue is drained", {{"queue", queue}, {"jobs", given_up.jobs}});
    co_return api::ok(given_up);
}

constexpr auto operating = api::tag("Queues",
                                    "The work in the background, of all organizations, for whoever runs the "
                                    "installation.");

constexpr std::string_view queue_example = R"({"name": "webhook", "paused": false, "owed": 12, "dead": 1,
    "depth": {"waiting": 8, "active": 3, "delayed": 1}, "lagSeconds": 0.4, "tiers": [
    {"tier": "FREE", "owed": 12, "dead": 1, "depth": {"waiting": 8, "active": 3, "delayed": 1}, "lagSeconds": 0.4}]})";
constexpr std::string_view dead_example = R"({"items": [{"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f",
    "organizationId": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70", "queue": "webhook", "name": "deliver",
    "topic": "workspace.created", "error": "no such host", "attempts": 3, "round": 0,
    "createdAt": "2026-11-23T17:20:46.123Z", "failedAt": "2026-11-23T17:21:46.123Z"}], "nextCursor": null})";

constexpr api::Route table[] = {
    {"GET", "/v1/admin/queues", api::installation_owner, api::handle<list_queues>, "List queues", operating,
     api::describe("How many jobs each queue has and how old the oldest is that could be begun, by tier."),
     api::returns<QueueList>(), api::heavy},
    {"GET", "/v1/admin/queues/{queue:slug}", api::installation_owner, api::handle<get_queue>, "Get a queue", operating,
     api::returns<QueueStatus>().example(queue_example), api::heavy},
    {"GET", "/v1/admin/queues/{queue:slug}/dead-jobs", api::installation_owner, api::handle<list_dead_jobs>,
     "List dead jobs", operating, api::describe("Those that have failed for good, latest first, each with its error."),
     api::paged("-failedAt"), api::returns<api::Page<DeadJob>>().example(dead_example), api::heavy},
    {"POST", "/v1/admin/queues/{queue:slug}/dead-jobs/{jobId}/retry", api::installation_owner, api::handle<retry_job>,
     "Retry a dead job", operating, api::returns_nothing()},
    {"POST", "/v1/admin/queues/{queue:slug}/retry", api::installation_owner, api::handle<retry_all_jobs>,
     "Retry all dead jobs", operating, api::returns<Affected>(), api::heavy},
    {"POST", "/v1/admin/queues/{queue:slug}/pause", api::installation_owner, api::handle<pause_queue>, "Pause a queue",
     operating, api::describe("Nobody begins another job of it, whichever organization's. Jobs at work go on."),
     api::returns_nothing()},
    {"POST", "/v1/admin/queues/{queue:slug}/resume", api::installation_owner, api::handle<resume_queue>,
     "Resume a queue", operating, api::returns_nothing()},
    {"POST", "/v1/admin/queues/{queue:slug}/drain", api::installation_owner, api::handle<drain_queue>, "Drain a queue",
     operating, api::describe("Gives up all jobs that nobody has begun. They are dead then, and can be retried."),
     api::returns<Affected>(), api::heavy},
};

}  // namespace

std::span<api::Route const> routes() noexcept { return table; }

}  // namespace buildplan::queues
