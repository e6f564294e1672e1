#include "queue/bullmq/queue.hpp"

#include "queue/bullmq/scripts.hpp"

namespace buildplan::queue::bullmq {
namespace {

using enum QueueKeys::Type;

constexpr std::array<std::string_view, 8> state_words{"waiting",          "active",    "delayed", "prioritized",
                                                      "waiting-children", "completed", "failed",  "unknown"};

}  // namespace

std::string_view to_string(State state) noexcept { return state_words[static_cast<std::size_t>(state)]; }

std::optional<State> parse_state(std::string_view word) noexcept {
    for (std::size_t i = 0; i < state_words.size(); ++i)
        if (state_words[i] == word) return static_cast<State>(i);
    return {};
}

task<> Queue::announce(std::int64_t most_events) {
    redis::Command write("HSET", keys_[meta], "opts.maxLenEvents", most_events, "version",
                         "bullmq:" + std::string(bullmq_version()));
    write.idempotent();
    co_await client_->command(std::move(write));
}

task<std::string> Queue::add(NewJob job) {
    job.options = job.options.over(defaults_);
    auto command = add_command(keys_, job, moment_now());
    auto reply = co_await client_->command(std::move(command));
    co_return read_added(std::move(reply), job);
}

task<std::vector<std::string>> Queue::add(std::vector<NewJob> jobs) {
    std::vector<redis::Command> commands;
    commands.reserve(jobs.size());
    auto const now = moment_now();
    for (auto& job : jobs) {
        job.options = job.options.over(defaults_);
        commands.push_back(add_command(keys_, job, now));
    }
    auto replies = co_await client_->pipeline(std::move(commands));
    std::vector<std::string> ids;
    ids.reserve(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) ids.push_back(read_added(std::move(replies[i]), jobs[i]));
    co_return ids;
}

task<std::string> Queue::ping() {
    NewJob job{.name = "ping"};
    return add(std::move(job));
}

task<std::optional<Job>> Queue::job(std::string job_id) {
    auto fields = co_await client_->command("HGETALL", keys_.job(job_id));
    co_return read_job(std::move(job_id), std::move(fields));
}

task<State> Queue::state(std::string job_id) {
    static auto const script = keyed<8>("getStateV2");
    auto command = script({keys_[completed], keys_[failed], keys_[delayed], keys_[active], keys_[wait], keys_[paused],
                           keys_[waiting_children], keys_[prioritized]},
                          job_id);
    auto const reply = co_await client_->command(std::move(command));
    co_return parse_state(reply.as_text()).value_or(State::unknown);
}

task<Outcome> Queue::outcome(std::string job_id) {
    static auto const script = keyed<3>("isFinished");
    auto command = script({keys_[completed], keys_[failed], keys_.job(job_id)}, job_id, "1");
    auto reply = co_await client_->command(std::move(command));
    auto const code = reply[0].as_integer();
    Outcome outcome{.state = code == 1   ? State::completed
                             : code == 2 ? State::failed
                             : code == 0 ? State::waiting
                                         : State::unknown};
    if (reply.size() > 1 && reply[1].is_text()) outcome.value = reply.items()[1].take_text();
    co_return outcome;
}

namespace {

// As the scripts name what jobs lie in.
std::string_view stored_as(State state) { return state == State::waiting ? "wait" : to_string(state); }

}  // namespace

task<std::vector<Job>> Queue::jobs(std::vector<State> states, Page page) {
    static auto const script = keyed<1>("getJobs");
    constexpr int most_backfills = 5;
    auto command = script({keys_[base]}, page.first, page.last, page.ascending ? 1 : 0, most_backfills);
    for (auto const state : states) command.arg(stored_as(state));
    auto reply = co_await client_->command(std::move(command));
    std::vector<Job> found;
    for (auto& of_state : reply.items()) {
        if (!of_state.is_aggregate()) continue;
        for (auto& entry : of_state.items()) {
            auto id = entry.items().at(0).take_text();
            if (auto job = read_job(std::move(id), std::move(entry.items().at(1)))) found.push_back(std::move(*job));
        }
    }
    co_return found;
}

task<std::map<State, std::int64_t>> Queue::counts(std::vector<State> states) {
    static auto const script = keyed<1>("getCounts");
    auto command = script({keys_[base]});
    for (auto const state : states) command.arg(stored_as(state));
    auto const reply = co_await client_->command(std::move(command));
    std::map<State, std::int64_t> counts;
    for (std::size_t i = 0; i < states.size(); ++i) counts[states[i]] = reply[i].as_integer();
    co_return counts;
}

task<std::vector<std::int64_t>> Queue::counts_per_priority(std::vector<std::uint32_t> priorities) {
    static auto const script = keyed<2>("getCountsPerPriority");
    auto command = script({keys_[wait], keys_[prioritized]});
    command.args(priorities);
    auto const reply = co_await client_->command(std::move(command));
    std::vector<std::int64_t> counts;
    for (auto const& each : reply.items()) counts.push_back(each.as_integer());
    co_return counts;
}

}  // namespace buildplan::queue::bullmq
