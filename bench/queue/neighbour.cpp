// script/bench neighbour: what a noisy neighbour costs the others. One FREE organization has 100,000 jobs; 200 others
// of its tier have one every 5 s each, and an ENTERPRISE one bursts of 50. One process works on all of them as `work`
// does. The neighbour is there and away (paused) in turns, so that both see the same machine, and what is told of them
// are medians of the rounds, and of the rounds' ratios. A wait is from just before a job is added until its handler
// begins. Takes about 2 * (rounds + 1) * (seconds + 1) s.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <random>

#include "bench/queue/neighbour.hpp"
#include "queue/bullmq/queue.hpp"
#include "queue/fair/workers.hpp"
#include "runtime/shards.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::queue {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto others_every = 5s, bursts_every = 2s;
constexpr auto patience = 20s;  // so long a job may wait before this gives up
constexpr std::string_view queue_name = "agent-jobs";

std::int64_t moment() { return Clock::now().time_since_epoch().count(); }

task<boost::json::value> neighbours_job(Seen& seen) {
    co_await sleep_for(job_takes);
    seen.neighbours.fetch_add(1, std::memory_order_relaxed);
    co_return nullptr;
}
task<boost::json::value> measured_job(std::vector<Begun>& all, std::int64_t added, std::atomic<std::size_t>& begun) {
    all.push_back({added, static_cast<double>(moment() - added) / 1e6});
    begun.fetch_add(1, std::memory_order_relaxed);
    co_await sleep_for(job_takes);
    co_return nullptr;
}

// The data of a job is when it was added.
std::int64_t added_at(bullmq::Job const& job) {
    std::int64_t at = 0;
    std::from_chars(job.data.data(), job.data.data() + job.data.size(), at);
    return at;
}

fair::Handlers handlers_of(Seen& seen) {
    fair::Handlers handlers;
    std::string const queue(queue_name);
    handlers.add(queue, "neighbour", [&](bullmq::Job const&, bullmq::Run&) { return neighbours_job(seen); });
    handlers.add(queue, "other", [&](bullmq::Job const& job, bullmq::Run&) {
        return measured_job(seen.others, added_at(job), seen.begun);
    });
    handlers.add(queue, "burst", [&](bullmq::Job const& job, bullmq::Run&) {
        return measured_job(seen.bursts, added_at(job), seen.begun);
    });
    return handlers;
}

// The process that works: a loop with what `work` has on each.
struct Worker {
    Worker(Loop& loop, redis::Options const& redis, fair::Handlers const& handlers, Sizes sizes)
        : client(redis::Client::make(loop, redis)),
          workers(loop, *client, redis, handlers, [](auto const&, std::size_t) { return nobody(); },
                  {.concurrency = sizes.concurrency}) {}
    static task<std::vector<fair::Admission>> nobody() { co_return std::vector<fair::Admission>{}; }
    task<> start() {
        co_await client->connected(5s);
        workers.start();
    }
    task<> stop() {
        co_await workers.stop(1s);
        co_await client->close();
    }
    std::unique_ptr<redis::Client> client;
    fair::Workers workers;
};

// Whoever adds jobs, on a loop of its own, and tells the index as the relay does.
class Producer {
public:
    Producer(Loop& loop, redis::Options const& redis, Seen& seen, Sizes sizes)
        : loop_(loop),
          client_(redis::Client::make(loop, redis)),
          index_(*client_, fair::lanes()[0], fair::lanes()[0].queues),
          seen_(seen),
          sizes_(sizes) {}

    task<> measure() {
        co_await client_->connected(5s);
        co_await admit();
        bullmq::Queue neighbours(*client_, neighbour_.keys());
        for (unsigned number = 0; number <= sizes_.rounds; ++number) {
            Round round;
            co_await neighbours.pause();
            co_await fill_up();
            if (number % 2 == 0) round.without = co_await window();
            co_await neighbours.resume();
            co_await signal(neighbour_);
            auto const before = seen_.neighbours.load();
            round.with = co_await window();
            round.neighbours_rate = static_cast<double>(seen_.neighbours.load() - before) * 1e9 /
                                    static_cast<double>(round.with.to - round.with.from);
            co_await neighbours.pause();
            if (number % 2 == 1) round.without = co_await window();
            if (number > 0) rounds_.push_back(round);  // the first is to warm up
        }
        co_await client_->close();
    }
    [[nodiscard]] std::vector<Round> const& rounds() const noexcept { return rounds_; }

private:
    struct Other {
        fair::Member member;
        std::chrono::milliseconds phase;
    };
    struct Due {
        std::chrono::milliseconds at;
        fair::Member const* member;
    };

    task<> signal(fair::Member member) {
        std::vector<fair::Member> members{std::move(member)};
        co_await index_.signal(std::move(members));
    }

    task<> admit() {
        using enum fair::Tier;
        std::vector<fair::Admission> admissions{{.organization = neighbour_.organization, .tier = free},
                                                {.organization = enterprise_.organization, .tier = enterprise}};
        std::mt19937 dice(7);
        std::uniform_int_distribution<std::int64_t> any(0, std::chrono::milliseconds(others_every).count() - 1);
        for (unsigned i = 0; i < sizes_.others; ++i) {
            others_.push_back(
                {{OrganizationId::make(), std::string(queue_name)}, std::chrono::milliseconds{any(dice)}});
            admissions.push_back({.organization = others_.back().member.organization, .tier = free});
        }
        co_await index_.admit(std::move(admissions));
    }

    // The neighbour has its 100,000 again.
    task<> fill_up() {
        bullmq::NewJob const job{.name = "neighbour", .data = "0", .options = bullmq::contract_options()};
        auto const keys = neighbour_.keys();
        while (filled_ < sizes_.jobs + seen_.neighbours.load()) {
            std::vector<redis::Command> commands;
            for (int i = 0; i < 500; ++i) commands.push_back(bullmq::add_command(keys, job, bullmq::moment_now()));
            co_await client_->pipeline(std::move(commands));
            filled_ += 500;
        }
    }

    [[nodiscard]] std::vector<Due> timetable() const {
        auto const length = std::chrono::milliseconds(std::chrono::seconds{sizes_.seconds});
        std::vector<Due> due;
        for (auto const& other : others_) {
            for (auto at = other.phase; at < length; at += others_every) due.push_back({at, &other.member});
        }
        for (auto at = 500ms; at < length; at += bursts_every) due.push_back({at, &enterprise_});
        std::ranges::sort(due, {}, &Due::at);
        return due;
    }

    // Adds what is due, at its time, however long the adding of others takes; ends when all of it was begun.
    task<Window> window() {
        co_await sleep_for(1s);
        auto const begin = Clock::now();
        Window window{.from = moment()};
        Gate adding;
        for (auto const& [at, member] : timetable()) {
            if (auto const left = begin + at - Clock::now(); left > 0ns) co_await sleep_for(left);
            auto const count = member == &enterprise_ ? sizes_.burst : 1;
            expected_ += count;
            loop_.spawn("adds", add(*member, count, adding.enter()));
        }
        co_await adding.close();
        window.to = moment();
        for (auto const until = Clock::now() + patience; seen_.begun.load() < expected_; co_await sleep_for(1ms)) {
            if (Clock::now() > until) throw std::runtime_error("not all jobs were begun in time");
        }
        co_return window;
    }

    task<> add(fair::Member member, unsigned count, Gate::Pass pass) {
        auto const inside = std::move(pass);
        bullmq::NewJob const job{.name = member == enterprise_ ? "burst" : "other",
                                 .data = std::to_string(moment()),
                                 .options = bullmq::contract_options()};
        auto const keys = member.keys();
        std::vector<redis::Command> commands;
        for (unsigned i = 0; i < count; ++i) commands.push_back(bullmq::add_command(keys, job, bullmq::moment_now()));
        co_await client_->pipeline(std::move(commands));
        co_await signal(std::move(member));
    }

    Loop& loop_;
    std::unique_ptr<redis::Client> client_;
    fair::Index index_;
    Seen& seen_;
    Sizes sizes_;
    fair::Member neighbour_{OrganizationId::make(), std::string(queue_name)};
    fair::Member enterprise_{OrganizationId::make(), std::string(queue_name)};
    std::vector<Other> others_;
    std::size_t expected_ = 0, filled_ = 0;
    std::vector<Round> rounds_;
};

double mean_run_ms(Loop& loop) {
    auto const& times =
        loop.metrics().histogram("buildplan_job_run_seconds", "", {{"queue", queue_name}, {"tier", "ENTERPRISE"}});
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= metrics::Histogram::bounds.size(); ++i) count += times.bucket(i);
    return count == 0 ? 0 : 1000 * times.sum() / static_cast<double>(count);
}

// What both loops do, step by step; each makes and unmakes its own.
struct Bench {
    Sizes sizes;
    redis::Options redis;
    Seen seen{};
    fair::Handlers handlers = handlers_of(seen);
    std::unique_ptr<Worker> worker{};
    std::unique_ptr<Producer> producer{};
    double run_ms = 0;
};
task<> begin(Bench& bench, Loop& loop) {
    if (loop.index() == 1) {
        bench.producer = std::make_unique<Producer>(loop, bench.redis, bench.seen, bench.sizes);
        co_return;
    }
    bench.worker = std::make_unique<Worker>(loop, bench.redis, bench.handlers, bench.sizes);
    co_await bench.worker->start();
}
task<> measure(Bench& bench, Loop& loop) {
    if (loop.index() == 1) co_await bench.producer->measure();
}
task<> end(Bench& bench, Loop& loop) {
    if (loop.index() == 1) co_return;
    co_await bench.worker->stop();
    bench.run_ms = mean_run_ms(loop);
    bench.worker.reset();
}
task<> forget(Bench& bench, Loop& loop) {
    if (loop.index() == 1) bench.producer.reset();
    co_return;
}

void run(Sizes sizes) {
    auto const server = test_support::start_redis();
    Bench bench{.sizes = sizes, .redis = redis::Options::parse(server->url())};
    Shards threads(2, Log{});
    threads.start();
    threads.on_each([&](Loop& loop) { return begin(bench, loop); });
    threads.on_each([&](Loop& loop) { return measure(bench, loop); });
    threads.on_each([&](Loop& loop) { return end(bench, loop); });
    report(bench.seen, bench.producer->rounds(), bench.run_ms, sizes);
    threads.on_each([&](Loop& loop) { return forget(bench, loop); });
    threads.stop();
}

}  // namespace
}  // namespace buildplan::queue

int main(int count, char** words) {
    buildplan::queue::Sizes sizes;
    CLI::App app("What a noisy neighbour costs the others");
    auto const option = [&](char const* name, unsigned& of, unsigned most) {
        app.add_option(name, of)->check(CLI::Range(1U, most))->capture_default_str();
    };
    option("--rounds", sizes.rounds, 100);
    option("--seconds", sizes.seconds, 60);
    option("--jobs", sizes.jobs, 1'000'000);
    option("--others", sizes.others, 10'000);
    option("--burst", sizes.burst, 1'000);
    option("--concurrency", sizes.concurrency, 1'000);
    CLI11_PARSE(app, count, words);
    try {
        buildplan::queue::run(sizes);
    } catch (std::exception const& e) {
        fmt::print(stderr, "{}\n", e.what());
        return 1;
    }
}
