// bench_queue URL add|bulk|work JOBS WIDTH: what our client of BullMQ does in a second, and what CPU it takes. Prints
// one JSON object. `add`: WIDTH calls in flight; `bulk`: WIDTH jobs a call; `work`: WIDTH jobs at once. client.mjs does
// the same with the npm package.
#include <sys/resource.h>

#include <cstdio>

#include "queue/bullmq/worker.hpp"
#include "runtime/gate.hpp"

namespace {

using namespace buildplan;
using namespace buildplan::queue::bullmq;
using namespace std::chrono_literals;

constexpr std::string_view data =
    R"({"agentId":"a1","organizationId":"ORG","projectId":"p1","input":{"q":"Summarise drawing A-101","tags":["mep","l3"],"n":7}})";

double cpu() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval const& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Watch {
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    double cpu_before = cpu();
    void report(long jobs) const {
        auto const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        std::printf("{\"rate\": %.0f, \"cpu\": %.3f}\n", double(jobs) / seconds,
                    (cpu() - cpu_before) * 1e6 / double(jobs));
    }
};

task<> add_some(Queue queue, long count, Gate::Pass pass) {
    auto const here = std::move(pass);
    for (; count > 0; --count) {
        NewJob job{.name = "run", .data = std::string(data)};
        co_await queue.add(std::move(job));
    }
}

task<> add_bulk(Queue queue, long jobs, long width) {
    while (jobs > 0) {
        std::vector<NewJob> some;
        for (long i = 0; i < width && jobs > 0; ++i, --jobs) some.push_back({.name = "run", .data = std::string(data)});
        co_await queue.add(std::move(some));
    }
}

task<> measure(Loop* loop, std::string url, std::string what, long jobs, long width) {
    auto const client = redis::Client::make(*loop, redis::Options::parse(url));
    co_await client->connected(5s);
    Queue queue(*client, QueueKeys("buildplan:{ORG}", "agent-jobs"), JobOptions{});
    co_await queue.obliterate(true);
    co_await queue.resume();
    co_await add_bulk(queue, 500, 500);
    if (what == "add") {
        Watch const watch;
        Gate gate;
        for (long i = 0; i < width; ++i) loop->spawn("adds", add_some(queue, jobs / width, gate.enter()));
        co_await gate.close();
        watch.report(jobs / width * width);
    } else if (what == "bulk") {
        Watch const watch;
        co_await add_bulk(queue, jobs, width);
        watch.report(jobs);
    } else {
        constexpr long warm = 1000;
        co_await add_bulk(queue, jobs + warm, 500);
        long done = 0;
        std::unique_ptr<Watch> watch;
        Handler const handler = [&](Run&) -> task<Result> {  // outlives the worker
            ++done;
            if (done == warm) watch = std::make_unique<Watch>();
            if (done == warm + jobs) {
                watch->report(jobs);
                loop->stop();
            }
            co_return Completed{R"({"ok":1})"};
        };
        WorkerOptions options;
        options.concurrency = static_cast<unsigned>(width);
        options.runner.finish.completed = Keep::last(1000);
        Worker worker(*loop, *client, queue.keys(), handler, options);
        worker.start();
        co_await sleep_for(600s);
    }
    loop->stop();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    Loop loop(0, Log{});
    loop.spawn("bench", measure(&loop, argv[1], argv[2], std::atol(argv[3]), std::atol(argv[4])));
    loop.run();
    std::fflush(stdout);
    std::_Exit(0);
}
