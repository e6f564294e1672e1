#include "queue/fair/tenant_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace buildplan::queue::fair {
namespace {

using bullmq::QueueKeys;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_caps_known = 50'000;

struct TakenJob final : Taken {
    TakenJob(std::shared_ptr<QueueKeys const> keys_, bullmq::Job job_, bullmq::Claim claim_)
        : keys(std::move(keys_)), job(std::move(job_)), claim(std::move(claim_)) {}
    std::shared_ptr<QueueKeys const> keys;
    bullmq::Job job;
    bullmq::Claim claim;
};

// From when it could be taken. Of one that is tried again nobody keeps that.
std::optional<std::chrono::duration<double>> waited(bullmq::Job const& job) {
    if (job.attempts_made > 0 || job.attempts_started > 1 || job.stalled > 0) return std::nullopt;
    auto since = job.timestamp;
    if (job.options_json.find("\"delay\"") != std::string::npos) {
        try {
            since += job.options().delay.value_or(bullmq::Millis{0});
        } catch (std::invalid_argument const&) {
            return std::nullopt;  // whoever carries it out says so
        }
    }
    return std::max(bullmq::moment_now() - since, bullmq::Millis{0});
}

std::unique_ptr<Taken> taken(std::shared_ptr<QueueKeys const> keys, bullmq::Job job, bullmq::Claim claim) {
    auto made = std::make_unique<TakenJob>(std::move(keys), std::move(job), std::move(claim));
    made->waited = waited(made->job);
    return made;
}

}  // namespace

TenantJobs::TenantJobs(metrics::Registry& registry, redis::Client& client, bullmq::Runner& runner,
                       TenantJobsOptions options)
    : client_(client), runner_(runner), options_(std::move(options)) {
    for (std::size_t queue = 0; queue < times_.size(); ++queue) {
        auto const name = bullmq::queues::all[queue];
        for (auto const& row : tiers) {
            times_[queue][index_of(row.tier)] = {
                &registry.histogram("buildplan_job_wait_seconds",
                                    "From when a job could first have been taken until it was.",
                                    {{"queue", name}, {"tier", row.name}}),
                &registry.histogram("buildplan_job_run_seconds",
                                    "From when a job was taken until what became of it was handed in.",
                                    {{"queue", name}, {"tier", row.name}})};
        }
    }
}

TenantJobs::Times const& TenantJobs::times_of(Turn const& turn) const {
    auto const at = std::ranges::find(bullmq::queues::all, std::string_view(turn.member.queue));
    auto const number = at == bullmq::queues::all.end() ? 0 : at - bullmq::queues::all.begin();
    return times_[static_cast<std::size_t>(number)][index_of(turn.tier)];
}

std::unique_ptr<Taken> TenantJobs::note_wait(Turn const& turn, std::unique_ptr<Taken> job) const {
    if (job->waited) times_of(turn).wait->observe(job->waited->count());
    return job;
}

std::optional<redis::Command> TenantJobs::cap_command(Turn const& turn, QueueKeys const& keys) {
    auto const most = turn.cap.value_or(row_of(turn.tier).cap);
    auto const now = Clock::now();
    if (caps_.size() >= most_caps_known) caps_.clear();
    auto& known = caps_[turn.member];
    if (known.most == most && known.set != Clock::time_point{} && now - known.set < options_.trust_caps) return {};
    known = {most, now};
    if (most <= 0) return redis::Command("HDEL", keys[QueueKeys::meta], "concurrency");
    return redis::Command("HSET", keys[QueueKeys::meta], "concurrency", most);
}

task<Jobs::Took> TenantJobs::take(Turn const& turn) {
    if (options_.paused(turn.member.queue)) co_return Took{};
    auto keys = std::make_shared<QueueKeys const>(turn.member.keys());
    bullmq::Claim claim{.token = fmt::format("{}:{}", options_.process, turn.number),
                        .lock_duration = options_.lock_duration,
                        .worker = options_.process};
    std::vector<redis::Command> commands;
    if (auto cap = cap_command(turn, *keys)) commands.push_back(std::move(*cap));
    auto const at = commands.size();
    commands.push_back(bullmq::move_to_active_command(*keys, claim, bullmq::moment_now()));
    commands.emplace_back("EXISTS", (*keys)[QueueKeys::wait], (*keys)[QueueKeys::prioritized]);
    auto replies = co_await client_.pipeline(std::move(commands));
    if (replies[at].is_error()) throw redis::ReplyError(replies[at]);
    auto next = bullmq::read_next(std::move(replies[at]));
    Took took;
    if (next.job) {
        took.job = note_wait(turn, taken(std::move(keys), std::move(*next.job), std::move(claim)));
        took.more = !replies[at + 1].is_error() && replies[at + 1].as_integer() > 0;
    }
    co_return took;
}

task<std::unique_ptr<Taken>> TenantJobs::work(Turn const& turn, std::unique_ptr<Taken> job,
                                              std::function<bool()> more) {
    auto& mine = static_cast<TakenJob&>(*job);
    auto const keys = mine.keys;
    auto const claim = mine.claim;
    auto const began = Clock::now();
    std::function<bool()> const unless_paused = [this, &turn, more = std::move(more)] {
        return more() && !options_.paused(turn.member.queue);
    };
    auto next = co_await runner_.work(keys, std::move(mine.job), claim, unless_paused);
    times_of(turn).run->observe(std::chrono::duration<double>(Clock::now() - began).count());
    if (!next.job) co_return nullptr;
    co_return note_wait(turn, taken(keys, std::move(*next.job), claim));
}

task<> TenantJobs::give_back(std::unique_ptr<Taken> job) {
    auto const& mine = static_cast<TakenJob const&>(*job);
    co_await client_.pipeline(bullmq::give_back_commands(*mine.keys, mine.job, mine.claim.token));
}

task<Standing> TenantJobs::probe(Member const& member) {
    auto const keys = member.keys();
    auto standing = co_await fair::probe(client_, keys);
    if (standing.kind != Standing::Kind::empty && options_.paused(member.queue)) standing.kind = Standing::Kind::paused;
    co_return standing;
}

task<bool> TenantJobs::recover(Member const& member) {
    auto const keys = member.keys();
    bullmq::Stalled const stalled{.max_count = options_.most_stalls, .interval = std::chrono::milliseconds{500}};
    auto reply = co_await client_.command(bullmq::stalled_command(keys, stalled, bullmq::moment_now()));
    co_return !bullmq::read_ids(std::move(reply)).empty();
}

}  // namespace buildplan::queue::fair
