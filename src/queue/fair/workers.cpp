#include "queue/fair/workers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/uuid.hpp"

namespace buildplan::queue::fair {
namespace {

constexpr std::string_view cancel_channel = "buildplan:jobs:cancel";

// Those of `wished` (all, where nothing is wished) that are of this lane.
std::vector<std::string> of_lane(Lane const& lane, std::vector<std::string> const& wished) {
    if (wished.empty()) return lane.queues;
    std::vector<std::string> found;
    for (auto const& queue : lane.queues) {
        if (std::ranges::find(wished, queue) != wished.end()) found.push_back(queue);
    }
    return found;
}

bullmq::Handler handler_of(Handlers const& handlers) {
    return [&handlers](bullmq::Run& run) { return handlers.handle(run); };
}

// Where a process serves several lanes, three quarters are for long work.
std::size_t share_of(std::size_t lane, std::size_t lanes_served, std::size_t concurrency) {
    if (lanes_served < 2) return concurrency;
    auto const quick = std::max<std::size_t>(concurrency / 4, 1);
    return lane == 0 ? std::max<std::size_t>(concurrency - quick, 1) : quick;
}

task<> stopped(Pool& pool, Gate::Pass pass) {
    co_await pool.stop();
    auto const left = std::move(pass);
}

}  // namespace

struct Workers::LaneOfWork {
    LaneOfWork(Loop& loop, redis::Client& client, redis::Options const& redis, Lane const& lane,
               std::vector<std::string> served, Jobs& jobs, Organizations organizations, WorkersOptions const& options,
               PoolOptions of_pool, WatchOptions of_watch)
        : index(client, lane, std::move(served), options.slot),
          pool(loop, client, index, jobs, std::move(of_pool)),
          watch(loop, client, redis, index, jobs, std::move(organizations), std::move(of_watch)) {}
    Index index;
    Pool pool;
    Watch watch;
};

Workers::Workers(Loop& loop, redis::Client& client, redis::Options const& redis, Handlers const& handlers,
                 Organizations organizations, WorkersOptions options)
    : loop_(loop),
      process_(fmt::format("{}/{}", options.process.empty() ? Uuid::v7().to_string() : options.process, loop.index())),
      runner_(loop, client, handler_of(handlers), options.runner),
      jobs_(loop.metrics(), client, runner_,
            {.process = process_, .lock_duration = options.lock_duration, .paused = options.paused}),
      subscriber_(loop, redis),
      watches_(options.watch) {
    for (auto const& queue : options.queues) {
        if (!lane_of(queue)) throw std::invalid_argument(fmt::format("there is no queue {}", queue));
    }
    std::vector<std::pair<Lane const*, std::vector<std::string>>> served;
    for (auto const& lane : lanes()) {
        auto queues = of_lane(lane, options.queues);
        if (!queues.empty()) served.emplace_back(&lane, std::move(queues));
    }
    for (std::size_t i = 0; i < served.size(); ++i) {
        auto pool = options.pool;
        pool.process = process_;
        pool.tiers = options.tiers;
        pool.slots = share_out(share_of(i, served.size(), options.concurrency), options.tiers);
        pool.turn_lasts = std::max<std::chrono::milliseconds>(pool.turn_lasts, options.lock_duration);
        auto watch = options.watching;
        watch.process = process_;
        lanes_.push_back(std::make_unique<LaneOfWork>(loop, client, redis, *served[i].first, served[i].second, jobs_,
                                                      organizations, options, std::move(pool), std::move(watch)));
    }
    cancellations_ = subscriber_.subscribe(
        std::string(cancel_channel), [this](std::string_view, std::string_view message) { told_to_cancel(message); });
}

Workers::~Workers() = default;

void Workers::start() {
    for (auto const& lane : lanes_) {
        lane->pool.start();
        if (watches_) lane->watch.start();
    }
    loop_.log().info("works", {{"process", process_}});
}

task<> Workers::stop(std::chrono::milliseconds grace) {
    Gate pools;
    for (auto const& lane : lanes_) loop_.spawn("pool stops", stopped(lane->pool, pools.enter()));
    co_await sleep_for(std::chrono::milliseconds{0});  // they take nothing more from here on
    co_await runner_.stop(grace);
    co_await pools.close();
    for (auto const& lane : lanes_) {
        if (watches_) co_await lane->watch.stop();
    }
    cancellations_.end();
    subscriber_.close();
}

bool Workers::cancel(Member const& member, std::string_view job_id, std::string reason) {
    return runner_.cancel(member.keys(), job_id, std::move(reason), bullmq::AfterCancel::fail);
}

// "MEMBER JOB REASON…"
void Workers::told_to_cancel(std::string_view message) {
    auto const after_member = message.find(' ');
    auto const member = Member::parse(message.substr(0, after_member));
    if (!member || after_member == std::string_view::npos) return;
    auto const rest = message.substr(after_member + 1);
    auto const after_job = rest.find(' ');
    cancel(*member, rest.substr(0, after_job),
           std::string(after_job == std::string_view::npos ? "cancelled" : rest.substr(after_job + 1)));
}

std::size_t Workers::idle() const noexcept {
    std::size_t sum = 0;
    for (auto const& lane : lanes_) sum += lane->pool.idle();
    return sum;
}

task<> ask_to_cancel(redis::Client& client, Member member, std::string job_id, std::string reason) {
    auto const message = fmt::format("{} {} {}", member.to_string(), job_id, reason);
    co_await client.command("PUBLISH", cancel_channel, message);
}

}  // namespace buildplan::queue::fair
