#include "queue/outbox/bullmq_sink.hpp"

#include <algorithm>
#include <cstring>

#include "core/random.hpp"
#include "queue/bullmq/produce.hpp"
#include "queue/bullmq/refused.hpp"

namespace buildplan::queue::outbox {
namespace {

constexpr std::size_t most_remembered = 100'000;

// Gives the memory that epoch where it has none; answers with the one that it had.
redis::Command epoch_command(std::int64_t candidate) {
    return redis::Command("SET", epoch_key, candidate, "NX", "GET").idempotent();
}

std::int64_t random_number() {
    std::int64_t number = 0;
    auto const bytes = random_bytes(sizeof number);
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

bullmq::NewJob to_new_job(QueuedJob const& job) {
    bullmq::NewJob out{.name = job.name, .data = job.data.text, .options = {}};
    auto& options = out.options;
    options.job_id = job.entry.job_id();
    options.attempts = job.policy.attempts;
    options.backoff = bullmq::Backoff{.type = "exponential", .delay = job.policy.backoff, .jitter = {}};
    options.remove_on_complete = bullmq::Keep::last(job.policy.keep_completed);
    options.remove_on_fail = bullmq::Keep::last(job.policy.keep_failed);
    options.timestamp = std::chrono::floor<bullmq::Millis>(job.created_at);
    return out;
}

// An error of Redis that says that it takes nothing now, rather than that it will never take this.
bool is_passing(redis::Value const& error) {
    constexpr std::string_view passing[] = {"OOM",      "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN",
                                            "TRYAGAIN", "BUSY",    "MISCONF",  "NOREPLICAS", "MOVED",
                                            "ASK",      "NOAUTH",  "NOPERM",   "UNKILLABLE", "WRONGPASS"};
    return std::ranges::find(passing, error.error_code()) != std::end(passing);
}

}  // namespace

BullmqSink::BullmqSink(redis::Client& client) : client_(client) {
    for (auto const& lane : fair::lanes())
        lanes_.push_back({.index = fair::Index(client, lane, lane.queues), .members = {}, .admissions = {}});
}

void BullmqSink::remember(std::int64_t epoch) {
    if (std::exchange(epoch_, epoch) != epoch || admitted_.size() > most_remembered) admitted_.clear();
}

task<std::int64_t> BullmqSink::epoch() {
    auto const candidate = random_number();
    auto const had = co_await client_.command(epoch_command(candidate));
    auto const epoch = had.is_nil() ? candidate : had.as_integer();
    remember(epoch);
    co_return epoch;
}

task<Sink::Added> BullmqSink::add(std::span<QueuedJob const> jobs) {
    auto const candidate = random_number();
    auto const now = bullmq::moment_now();
    Added added{.epoch = candidate, .refusals = std::vector<std::string>(jobs.size())};
    std::vector<redis::Command> commands;
    std::vector<std::size_t> numbers;
    commands.reserve(jobs.size() + 1);
    commands.push_back(epoch_command(candidate));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        try {
            bullmq::QueueKeys const keys(jobs[i].organization, jobs[i].queue);
            auto const job = to_new_job(jobs[i]);
            commands.push_back(bullmq::add_command(keys, job, now).idempotent());
            numbers.push_back(i);
        } catch (std::invalid_argument const& error) {
            added.refusals[i] = error.what();
        }
    }
    auto replies = co_await client_.pipeline(std::move(commands));
    auto const& had = replies.at(0);
    if (had.is_error()) throw redis::ReplyError(had);
    if (!had.is_nil()) added.epoch = had.as_integer();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        auto const& reply = replies.at(i + 1);
        if (reply.is_error() && is_passing(reply)) throw redis::ReplyError(reply);
        try {
            bullmq::require_done(reply, "adding", jobs[numbers[i]].name);
        } catch (std::exception const& error) {
            added.refusals[numbers[i]] = error.what();
        }
    }
    remember(added.epoch);
    co_await tell(jobs, added.refusals);
    co_return added;
}

// What they pay for before what they have, so that their first turn is one of their tier.
task<> BullmqSink::tell(std::span<QueuedJob const> jobs, std::span<std::string const> refusals) {
    std::vector<std::pair<OrganizationId, Standing>> learnt;
    for (auto& lane : lanes_) {
        lane.members.clear();
        lane.admissions.clear();
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!refusals[i].empty()) continue;
        auto const& job = jobs[i];
        for (auto& lane : lanes_) {
            if (std::ranges::find(lane.index.lane().queues, job.queue) == lane.index.lane().queues.end()) continue;
            lane.members.push_back({job.organization, job.queue});
        }
        Standing const now_is{.tier = fair::parse_tier(job.tier).value_or(fair::Tier::free), .cap = job.cap};
        auto const known = admitted_.find(job.organization);
        if (known == admitted_.end() || known->second != now_is) learnt.emplace_back(job.organization, now_is);
    }
    std::ranges::sort(learnt);
    learnt.erase(std::ranges::unique(learnt).begin(), learnt.end());
    for (auto& lane : lanes_) {
        for (auto const& [organization, standing] : learnt) {
            lane.admissions.push_back(
                {.organization = organization, .tier = standing.tier, .weight = 1, .cap = standing.cap});
        }
        std::ranges::sort(lane.members);
        lane.members.erase(std::ranges::unique(lane.members).begin(), lane.members.end());
        co_await lane.index.admit(lane.admissions);
        co_await lane.index.signal(lane.members);
    }
    for (auto const& [organization, standing] : learnt) admitted_[organization] = standing;
}

task<std::vector<Sighting>> BullmqSink::look(std::span<Place const> places) {
    std::vector<redis::Command> commands;
    commands.reserve(places.size());
    for (auto const& place : places) {
        bullmq::QueueKeys const keys(place.organization, place.queue);
        commands.push_back(redis::Command("HMGET", keys.job(place.entry.job_id()), "timestamp", "finishedOn",
                                          "returnvalue", "failedReason")
                               .idempotent());
    }
    auto const replies = co_await client_.pipeline(std::move(commands));
    std::vector<Sighting> sightings;
    for (auto const& reply : replies) {
        if (reply.is_error()) throw redis::ReplyError(reply);
        using State = Sighting::State;
        Sighting seen{.state = State::alive, .error = {}};
        if (reply[0].is_nil()) {
            seen.state = State::missing;
        } else if (!reply[1].is_nil() && !reply[2].is_nil()) {  // it may have failed before
            seen.state = State::completed;
        } else if (!reply[1].is_nil()) {
            seen.state = State::failed;
            if (!reply[3].is_nil()) seen.error = reply[3].as_text();
        }
        sightings.push_back(std::move(seen));
    }
    co_return sightings;
}

}  // namespace buildplan::queue::outbox
