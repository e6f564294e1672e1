#include "queue/bullmq/consume.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <random>
#include <stdexcept>

#include "queue/bullmq/pack.hpp"
#include "queue/bullmq/scripts.hpp"

namespace buildplan::queue::bullmq {
namespace {

using enum QueueKeys::Type;

std::string& scratch() {
    thread_local std::string buffer;
    buffer.clear();
    return buffer;
}

void pack(Packer& to, std::optional<RateLimit> const& limit) {
    if (!limit) {
        to.nil();
        return;
    }
    to.map(2).text("max").integer(limit->max).text("duration").integer(limit->duration.count());
}

void pack_claim(std::string& out, Claim const& claim) {
    Packer to(out);
    to.map(4).text("token").text(claim.token).text("lockDuration").integer(claim.lock_duration.count());
    pack(to.text("limiter"), claim.limit);
    to.text("name").text_or_nil(claim.worker);
}

void pack(Packer& to, Keep const& keep) {
    to.map((keep.count ? 1U : 0U) + (keep.age ? 1U : 0U) + (keep.limit ? 1U : 0U));
    if (keep.count) to.text("count").integer(*keep.count);
    if (keep.age) to.text("age").integer(*keep.age);
    if (keep.limit) to.text("limit").integer(*keep.limit);
}

void pack_failure(std::string& out, Failure const& failure) {
    Packer to(out);
    to.array(4).text("failedReason").text(failure.reason).text("stacktrace");
    to.text(failure.stacktrace.empty() ? std::string_view("[]") : std::string_view(failure.stacktrace));
}

enum class Target : bool { completed, failed };

redis::Command finish_command(QueueKeys const& keys, Job const& job, JobOptions const& options, Target target,
                              std::string_view value, Failure const* failure, Claim const& claim, Finish const& finish,
                              Moment now) {
    bool const good = target == Target::completed;
    auto const& own = good ? options.remove_on_complete : options.remove_on_fail;
    auto const& usual = good ? finish.completed : finish.failed;
    auto& packed = scratch();
    Packer to(packed);
    to.map(11);
    to.text("token").text(claim.token);
    to.text("name").text_or_nil(claim.worker);
    pack(to.text("keepJobs"), own ? *own : usual.value_or(Keep::all()));
    pack(to.text("limiter"), claim.limit);
    to.text("lockDuration").integer(claim.lock_duration.count());
    to.text("attempts").integer(options.attempts.value_or(0));
    to.text("maxMetricsSize");
    finish.metrics_points ? to.integer(*finish.metrics_points) : to.text("");
    to.text("fpof").boolean(options.on_failure == OnFailure::fail_parent);
    to.text("cpof").boolean(options.on_failure == OnFailure::continue_parent);
    to.text("idof").boolean(options.on_failure == OnFailure::ignore_dependency);
    to.text("rdof").boolean(options.on_failure == OnFailure::remove_dependency);
    auto const opts = packed.size();
    if (failure) pack_failure(packed, *failure);

    static auto const script = keyed<14>("moveToFinished");
    auto const whole = std::string_view(packed);
    return script({keys[wait], keys[active], keys[prioritized], keys[events], keys[stalled], keys[limiter],
                   keys[delayed], keys[paused], keys[meta], keys[pc], keys[good ? completed : failed], keys.job(job.id),
                   keys[good ? completed_metrics : failed_metrics], keys[marker]},
                  job.id, millis_of(now), good ? "returnvalue" : "failedReason", value, good ? "completed" : "failed",
                  finish.fetch_next ? 1 : 0, keys[base], whole.substr(0, opts), whole.substr(opts));
}

}  // namespace

redis::Command move_to_active_command(QueueKeys const& keys, Claim const& claim, Moment now) {
    auto& packed = scratch();
    pack_claim(packed, claim);
    static auto const script = keyed<11>("moveToActive");
    return script({keys[wait], keys[active], keys[prioritized], keys[events], keys[stalled], keys[limiter],
                   keys[delayed], keys[paused], keys[meta], keys[pc], keys[marker]},
                  keys[base], millis_of(now), packed);
}

redis::Command claimed_command(QueueKeys const& keys, std::string_view token) {
    static redis::Script const script(R"(
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if redis.call('GET', ARGV[1] .. id .. ':lock') == ARGV[2] then
    return {redis.call('HGETALL', ARGV[1] .. id), id, 0, 0}
  end
end)");
    return script.call({keys[active]}, keys[base], token);
}

redis::Command wake_command(QueueKeys const& keys) {
    static redis::Script const script(R"(
if redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4]) > 0 then redis.call('ZADD', KEYS[1], 0, '0') end)");
    return script.call({keys[marker], keys[wait], keys[prioritized], keys[delayed]});
}

redis::Command complete_command(QueueKeys const& keys, Job const& job, JobOptions const& options,
                                std::string_view return_value, Claim const& claim, Finish const& finish, Moment now) {
    return finish_command(keys, job, options, Target::completed, return_value.empty() ? "null" : return_value, nullptr,
                          claim, finish, now);
}

redis::Command fail_command(QueueKeys const& keys, Job const& job, JobOptions const& options, Failure const& failure,
                            Claim const& claim, Finish const& finish, Moment now) {
    return finish_command(keys, job, options, Target::failed, failure.reason, &failure, claim, finish, now);
}

redis::Command delay_command(QueueKeys const& keys, std::string_view job_id, Delay const& delay, Claim const& claim,
                             Moment now) {
    auto& packed = scratch();
    if (delay.failure) pack_failure(packed, *delay.failure);
    auto const failure = packed.size();
    if (delay.fetch_next) pack_claim(packed, claim);
    static auto const script = keyed<11>("moveToDelayed");
    auto const whole = std::string_view(packed);
    return script({keys[marker], keys[active], keys[prioritized], keys[delayed], keys.job(job_id), keys[events],
                   keys[meta], keys[stalled], keys[wait], keys[limiter], keys[pc]},
                  keys[base], millis_of(now), job_id, claim.token, delay.by.count(), delay.counts_as_attempt ? 0 : 1,
                  whole.substr(0, failure), delay.fetch_next ? 1 : 0, whole.substr(failure));
}

Next read_finished(redis::Value reply, std::string_view job_id) {
    require_done(reply, "finishing", job_id);
    return read_next(std::move(reply));
}

redis::Command retry_command(QueueKeys const& keys, std::string_view job_id, bool lifo, Failure const& failure,
                             std::string_view token, Moment now) {
    auto& packed = scratch();
    pack_failure(packed, failure);
    static auto const script = keyed<11>("retryJob");
    return script({keys[active], keys[wait], keys[paused], keys.job(job_id), keys[meta], keys[events], keys[delayed],
                   keys[prioritized], keys[pc], keys[marker], keys[stalled]},
                  keys[base], millis_of(now), lifo ? "RPUSH" : "LPUSH", job_id, token, packed);
}

std::vector<redis::Command> give_back_commands(QueueKeys const& keys, Job const& job, std::string_view token) {
    static auto const script = keyed<9>("moveJobFromActiveToWait");
    auto const key = keys.job(job.id);
    std::vector<redis::Command> commands;
    commands.push_back(script({keys[active], keys[wait], keys[stalled], keys[paused], keys[meta], keys[limiter],
                               keys[prioritized], keys[marker], keys[events]},
                              job.id, token, key));
    if (job.priority > 0) commands.push_back(redis::Command("ZADD", keys[marker], 0, "0"));
    return commands;
}

redis::Command wait_for_children_command(QueueKeys const& keys, std::string_view job_id, std::string_view token,
                                         Moment now) {
    static auto const script = keyed<7>("moveToWaitingChildren");
    return script({keys[active], keys[waiting_children], keys.job(job_id), keys.job(job_id, "dependencies"),
                   keys.job(job_id, "unsuccessful"), keys[stalled], keys[events]},
                  token, "", millis_of(now), job_id, keys[base]);
}

redis::Command extend_locks_command(QueueKeys const& keys, std::span<Lock const> locks, Millis duration) {
    auto& packed = scratch();
    Packer to(packed);
    to.array(locks.size());
    for (auto const& lock : locks) to.text(lock.token);
    auto const tokens = packed.size();
    to.array(locks.size());
    for (auto const& lock : locks) to.text(lock.job_id);
    static auto const script = keyed<1>("extendLocks");
    auto const whole = std::string_view(packed);
    return script({keys[stalled]}, keys[base], whole.substr(0, tokens), whole.substr(tokens), duration.count());
}

redis::Command extend_lock_command(QueueKeys const& keys, Lock lock, Millis duration) {
    static auto const script = keyed<2>("extendLock");
    return script({keys.job(lock.job_id, "lock"), keys[stalled]}, lock.token, duration.count(), lock.job_id);
}

redis::Command stalled_command(QueueKeys const& keys, Stalled const& how, Moment now) {
    static auto const script = keyed<9>("moveStalledJobsToWait");
    return script({keys[stalled], keys[wait], keys[active], keys[stalled_check], keys[meta], keys[paused], keys[marker],
                   keys[events], keys[repeat]},
                  how.max_count, keys[base], millis_of(now), how.interval.count());
}

std::vector<std::string> read_ids(redis::Value reply) {
    std::vector<std::string> ids;
    ids.reserve(reply.size());
    for (auto& each : reply.items()) ids.push_back(each.take_text());
    return ids;
}

std::optional<Millis> retry_delay(JobOptions const& options, std::int64_t attempts_made) {
    if (attempts_made + 1 >= options.attempts.value_or(0)) return {};
    if (!options.backoff) return Millis{0};
    auto const& backoff = *options.backoff;
    auto delay = static_cast<double>(backoff.delay.count());
    if (backoff.type == "exponential") {
        delay = std::round(std::pow(2.0, static_cast<double>(attempts_made)) * delay);
    } else if (backoff.type != "fixed") {
        throw std::invalid_argument("unknown backoff strategy " + backoff.type);
    }
    if (auto const jitter = backoff.jitter.value_or(0); jitter > 0) {
        thread_local std::minstd_rand random(std::random_device{}());
        auto const share = std::uniform_real_distribution<double>(0, 1)(random);
        delay = std::floor(share * delay * jitter + delay * (1 - jitter));
    }
    // Where nobody would wait so long the sum must not overflow.
    return Millis{static_cast<std::int64_t>(std::min(delay, 9.0e15))};
}

std::string add_stack(std::string_view stacktrace, std::string_view entry, JobOptions const& options) {
    namespace bj = boost::json;
    bj::error_code error;
    auto value = stacktrace.empty() ? bj::value(bj::array()) : bj::parse(stacktrace, error);
    if (error || !value.is_array()) value = bj::array();
    auto& entries = value.get_array();
    entries.push_back(bj::string(entry));
    if (options.stack_trace_limit) {
        auto const limit = static_cast<std::size_t>(std::max<std::int64_t>(*options.stack_trace_limit, 0));
        if (entries.size() > limit) entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(limit));
    }
    return bj::serialize(value);
}

}  // namespace buildplan::queue::bullmq
