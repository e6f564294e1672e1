#include <CLI/CLI.hpp>

#include <fmt/core.h>

#include "commands/command.hpp"
#include "commands/operating.hpp"
#include "core/json/json.hpp"
#include "core/operator_error.hpp"
#include "features/queues/service.hpp"
#include "queue/jobs/table.hpp"

namespace buildplan::commands {
namespace {

struct QueueOptions {
    InstallationOption installation;
    std::string queue, job;
    std::int64_t limit = 20;
    bool all = false, json = false;
};
using Shared = std::shared_ptr<QueueOptions>;

// "3 s", "12 min", "4 h": what a person wants to know of an age.
std::string shown(double seconds) {
    if (seconds < 0.05) return "-";
    if (seconds < 10) return fmt::format("{:.1f} s", seconds);
    if (seconds < 120) return fmt::format("{:.0f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.0f} h", seconds / 3600);
}

void require_known(std::string const& queue) {
    if (queues::is_known(queue)) return;
    std::string names;
    for (auto const name : queue::jobs::queues::all) names += (names.empty() ? "" : ", ") + std::string(name);
    throw OperatorError(fmt::format("There is no queue {}", queue), "there are " + names, 64);  // EX_USAGE
}

void print_row(std::string_view name, std::optional<queues::Depth> const& depth, std::int64_t dead, double lag,
               std::string_view note) {
    auto const count = [&](std::int64_t queues::Depth::* of) {
        return depth ? fmt::format("{}", (*depth).*of) : std::string("?");
    };
    fmt::print("{:<16}{:>9}{:>9}{:>9}{:>9}{:>9}  {}\n", name, count(&queues::Depth::waiting),
               count(&queues::Depth::active), count(&queues::Depth::delayed), dead, shown(lag), note);
}

void print_head(std::string_view first) {
    fmt::print("{:<16}{:>9}{:>9}{:>9}{:>9}{:>9}\n", first, "WAITING", "ACTIVE", "DELAYED", "DEAD", "LAG");
}

task<> list(Shared options, Operated& operated) {
    auto const all = co_await queues::list(operated.system, &operated.queue);
    if (options->json) {
        fmt::print("{}\n", json::encode(all));
        co_return;
    }
    print_head("QUEUE");
    for (auto const& queue : all.items)
        print_row(queue.name, queue.depth, queue.dead, queue.lag_seconds, queue.paused ? "paused" : "");
    if (all.waiting_events > 0) {
        fmt::print("\n{} events wait to be given to a queue, the oldest for {}.\n", all.waiting_events,
                   shown(all.waiting_seconds));
    }
    if (!operated.queue.available()) fmt::print("\nThe queue's Redis cannot be reached.\n");
}

task<> show(Shared options, Operated& operated) {
    require_known(options->queue);
    auto const found = co_await queues::get(operated.system, &operated.queue, options->queue);
    auto const dead = co_await queues::dead_jobs(operated.system, options->queue, {}, options->limit);
    if (options->json) {
        std::string jobs;
        for (auto const& job : dead) jobs += (jobs.empty() ? "" : ",") + json::encode(job);
        fmt::print("{{\"queue\":{},\"deadJobs\":[{}]}}\n", found ? json::encode(*found) : "null", jobs);
        co_return;
    }
    if (found) {
        print_head("TIER");
        for (auto const& tier : found->tiers) print_row(tier.tier, tier.depth, tier.dead, tier.lag_seconds, "");
        if (found->paused) fmt::print("\nIt is paused: `buildplan queue resume {}`.\n", options->queue);
    }
    if (dead.empty()) co_return;
    fmt::print("\nDead jobs, latest first:\n");
    for (auto const& job : dead) {
        fmt::print("{}  {}  {}  {} attempts  {}\n", job.id.to_string(), to_rfc3339(job.failed_at),
                   job.name.empty() ? job.topic : job.name, job.attempts, job.error);
    }
}

task<> retry(Shared options, Operated& operated) {
    require_known(options->queue);
    if (options->all == !options->job.empty())
        throw OperatorError("Say which job, or --all", "`buildplan queue show` lists the dead ones", 64);
    if (options->all) {
        auto const jobs = co_await queues::retry_all(operated.system, options->queue);
        fmt::print("{} jobs are tried again.\n", jobs);
        co_return;
    }
    auto const id = queues::EntryId::parse(options->job);
    bool again = false;
    if (id) again = co_await queues::retry(operated.system, Actor{}, options->queue, *id);
    if (!again) {
        throw OperatorError(fmt::format("{} has no dead job {}", options->queue, options->job),
                            "`buildplan queue show` lists the dead ones", 66);
    }
    fmt::print("{} is tried again.\n", options->job);
}

task<> pause(Shared options, Operated& operated) {
    require_known(options->queue);
    co_await queues::pause(operated.system, options->queue);
    fmt::print("Nobody begins another job of {}. Jobs at work go on.\n", options->queue);
}

task<> resume(Shared options, Operated& operated) {
    require_known(options->queue);
    co_await queues::resume(operated.system, &operated.queue, options->queue);
    fmt::print("{} goes on.\n", options->queue);
}

task<> drain(Shared options, Operated& operated) {
    require_known(options->queue);
    auto const jobs = co_await queues::drain(operated.system, operated.queue, options->queue);
    fmt::print("{} jobs of {} are given up; `buildplan queue retry {} --all` brings them back.\n", jobs, options->queue,
               options->queue);
}

}  // namespace

void add_queue(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("queue", "The work in the background: how it stands, and steering it");
    command->require_subcommand(1);
    auto const options = std::make_shared<QueueOptions>();
    options->installation.add_to(*command);
    auto* const ls = operating_subcommand(*command, chosen, options, "ls", "Depth and lag of all queues", list);
    auto* const one =
        operating_subcommand(*command, chosen, options, "show", "One queue by tier, and its dead jobs", show);
    auto* const again = operating_subcommand(*command, chosen, options, "retry", "Tries dead jobs again", retry);
    auto* const stop =
        operating_subcommand(*command, chosen, options, "pause", "Lets nobody begin a job of a queue", pause);
    auto* const go = operating_subcommand(*command, chosen, options, "resume", "Takes a pause back", resume);
    auto* const empty =
        operating_subcommand(*command, chosen, options, "drain", "Gives up all jobs that nobody has begun", drain);
    for (auto* const each : {one, again, stop, go, empty})
        each->add_option("QUEUE", options->queue, "Its name, like webhook")->required();
    again->add_option("JOB", options->job, "The id of one");
    again->add_flag("--all", options->all, "All that are dead");
    one->add_option("--limit", options->limit, "How many dead jobs at most")->check(CLI::Range(1, 1000));
    for (auto* const each : {ls, one}) each->add_flag("--json", options->json, "For scripts");
}

}  // namespace buildplan::commands
