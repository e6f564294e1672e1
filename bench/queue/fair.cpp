// script/bench fair-queue: what fairness costs. The same jobs, that do nothing, once in one queue with one worker, once
// in the queues of 1,000 organizations with fair turns; the same client, one process, one loop, one Redis, in turns.
//   bench_fair_queue [ROUNDS] [JOBS] [TENANTS] [CONCURRENCY]
#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <charconv>
#include <cstdlib>

#include "queue/bullmq/worker.hpp"
#include "queue/fair/workers.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::queue {
namespace {

struct Sizes {
    std::size_t rounds = 5, jobs = 20'000, tenants = 1'000, concurrency = 64;
};

struct Measured {
    double jobs_per_second = 0, client_cpu_ms = 0;  // a thousand jobs
};

double cpu_seconds() {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

struct Count {
    std::size_t done = 0;
};

task<bullmq::Result> nothing(Count& count) {
    ++count.done;
    co_return bullmq::Completed{};
}
task<boost::json::value> nothing_as_json(Count& count) {
    ++count.done;
    co_return nullptr;
}

task<> fill(redis::Client& client, bullmq::QueueKeys const& keys, std::size_t jobs) {
    bullmq::NewJob const job{.name = "job", .options = {.remove_on_complete = bullmq::Keep::none()}};
    while (jobs > 0) {
        std::vector<redis::Command> commands;
        for (; jobs > 0 && commands.size() < 500; --jobs)
            commands.push_back(bullmq::add_command(keys, job, bullmq::moment_now()));
        co_await client.pipeline(std::move(commands));
    }
}

struct Watch {
    double cpu = cpu_seconds();
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    [[nodiscard]] Measured read(std::size_t jobs) const {
        auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        auto const thousands = static_cast<double>(jobs) / 1000;
        return {thousands * 1000 / took, (cpu_seconds() - cpu) * 1000 / thousands};
    }
};

task<> until_done(Count const& count, std::size_t jobs) {
    while (count.done < jobs) co_await sleep_for(std::chrono::milliseconds{1});
}

task<Measured> one_queue(Loop& loop, redis::Client& client, Sizes sizes) {
    bullmq::QueueKeys const keys(OrganizationId::make(), "agent-jobs");
    co_await fill(client, keys, sizes.jobs);
    Count count;
    bullmq::Worker worker(loop, client, keys, [&count](bullmq::Run&) { return nothing(count); },
                          {.concurrency = static_cast<unsigned>(sizes.concurrency)});
    Watch const watch;
    worker.start();
    co_await until_done(count, sizes.jobs);
    auto const measured = watch.read(sizes.jobs);
    co_await worker.stop(std::chrono::seconds{1});
    co_return measured;
}

task<std::vector<fair::Admission>> nobody() { co_return std::vector<fair::Admission>{}; }

task<Measured> fair_queues(Loop& loop, redis::Client& client, redis::Options const& redis, Sizes sizes,
                           std::vector<fair::Tier> mix) {
    fair::WorkersOptions options{.queues = {"agent-jobs"}, .concurrency = sizes.concurrency};
    auto const& lane = fair::lanes()[0];
    fair::Index index(client, lane, lane.queues);
    std::vector<fair::Admission> admissions;
    std::vector<fair::Member> members;
    for (std::size_t i = 0; i < sizes.tenants; ++i) {
        auto const organization = OrganizationId::make();
        admissions.push_back({.organization = organization, .tier = mix[i % mix.size()]});
        members.push_back({organization, "agent-jobs"});
        co_await fill(client, members.back().keys(), sizes.jobs / sizes.tenants);
    }
    co_await index.admit(std::move(admissions));
    co_await index.signal(std::move(members));
    Count count;
    fair::Handlers handlers;
    handlers.add("agent-jobs", "job", [&count](bullmq::Job const&, bullmq::Run&) { return nothing_as_json(count); });
    fair::Workers workers(loop, client, redis, handlers, [](auto const&, std::size_t) { return nobody(); }, options);
    auto const jobs = sizes.jobs / sizes.tenants * sizes.tenants;
    Watch const watch;
    workers.start();
    co_await until_done(count, jobs);
    auto const measured = watch.read(jobs);
    co_await workers.stop(std::chrono::seconds{1});
    co_return measured;
}

void print(char const* what, std::vector<Measured> all, double against) {
    std::ranges::sort(all, {}, &Measured::jobs_per_second);
    auto const& median = all[all.size() / 2];
    fmt::print("{:<44} {:>8.0f} jobs/s {:>7.2f} ms client CPU/1000", what, median.jobs_per_second,
               median.client_cpu_ms);
    if (against > 0) fmt::print("   {:.0f} %", 100 * median.jobs_per_second / against);
    fmt::print("\n");
}

double median(std::vector<Measured> all) {
    std::ranges::sort(all, {}, &Measured::jobs_per_second);
    return all[all.size() / 2].jobs_per_second;
}

task<> measure(Loop& loop, std::string url, Sizes sizes) {
    using enum fair::Tier;
    auto const options = redis::Options::parse(url);
    auto const client = redis::Client::make(loop, options);
    co_await client->connected(std::chrono::seconds{5});
    std::vector<Measured> one, free_only, mixed;
    for (std::size_t round = 0; round <= sizes.rounds; ++round) {
        auto const a = co_await one_queue(loop, *client, sizes);
        auto const b = co_await fair_queues(loop, *client, options, sizes, {free});
        auto const c =
            co_await fair_queues(loop, *client, options, sizes, {free, free, free, pro, free, free, free, enterprise});
        co_await client->command("FLUSHALL");
        if (round == 0) continue;  // to warm up
        one.push_back(a);
        free_only.push_back(b);
        mixed.push_back(c);
    }
    auto const against = median(one);
    fmt::print("{} jobs, {} slots, median of {}\n", sizes.jobs, sizes.concurrency, sizes.rounds);
    print("one queue, one worker", one, 0);
    print(fmt::format("{} organizations, all FREE", sizes.tenants).c_str(), free_only, against);
    print(fmt::format("{} organizations of all tiers", sizes.tenants).c_str(), mixed, against);
    co_await client->close();
}

}  // namespace
}  // namespace buildplan::queue

int main(int count, char** words) {
    using namespace buildplan;
    queue::Sizes sizes;
    std::size_t* const of[] = {&sizes.rounds, &sizes.jobs, &sizes.tenants, &sizes.concurrency};
    for (int i = 1; i < count && i <= 4; ++i) *of[i - 1] = std::max(std::strtoul(words[i], nullptr, 10), 1UL);
    auto const server = test_support::start_redis();
    Loop loop(0, Log{});
    std::exception_ptr failure;
    asio::co_spawn(loop.io(), queue::measure(loop, server->url(), sizes), [&](std::exception_ptr error) {
        failure = std::move(error);
        loop.stop();
    });
    loop.run();
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (std::exception const& e) {
        fmt::print(stderr, "{}\n", e.what());
        return 1;
    }
}
