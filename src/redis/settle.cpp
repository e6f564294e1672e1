#include <algorithm>

#include "redis/router.hpp"

namespace buildplan::redis {
namespace {

constexpr unsigned max_rounds = 16;
constexpr auto max_pause = std::chrono::milliseconds{200};

// Every job in one flight, in order. Nothing is sent unless everything can be.
task<std::vector<Value>> fly(std::span<Job*> jobs) {
    for (auto* const job : jobs) job->target->require(jobs.size());
    auto const flight = std::make_shared<Flight>(jobs.size());
    co_return co_await completed<std::vector<Value>>([&](Completion<std::vector<Value>> done) {
        done.on_cancel([flight = flight.get()] {
            auto gone = std::move(flight->done);
            gone.fail(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
        });
        flight->done = std::move(done);
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (jobs[i]->asking) jobs[i]->target->submit(Command("ASKING"));
            jobs[i]->target->submit(*jobs[i]->command, flight, i);
        }
    });
}

// Waits until somebody serves the command again. In a cluster that may be somebody else.
task<> wait_for_a_server(Router& router, Command const& command, Clock::time_point until) {
    while (Clock::now() < until) {
        auto const link = router.route(command);
        auto const soon = std::min(until, Clock::now() + std::chrono::milliseconds{50});
        if (link && co_await link->wait_up(soon)) co_return;
        if (!link) co_await sleep_for(soon - Clock::now());
    }
}

}  // namespace

task<> settle(std::shared_ptr<Router> router, std::span<Job> jobs, Clock::time_point until) {
    auto pause = std::chrono::milliseconds{10};
    std::vector<Job*> open;
    for (unsigned round = 1;; ++round) {
        open.clear();
        for (auto& job : jobs) {
            if (!job.open) continue;
            if (job.target && !job.target->up()) {  // a node that we have only just heard of
                co_await job.target->wait_up(std::min(until, Clock::now() + std::chrono::milliseconds{500}));
            }
            if (!job.target) job.target = router->route(*job.command);
            if (!job.target) throw Unavailable("no Redis node is known to serve this", Unavailable::Sent::no);
            open.push_back(&job);
        }
        std::vector<Value> replies;
        bool lost = false;
        try {
            replies = co_await fly(open);
        } catch (Unavailable const& e) {
            bool const harmless =
                std::ranges::all_of(open, [](Job const* job) { return job->command->is_idempotent(); });
            router->lost();
            if (e.sent == Unavailable::Sent::no || !harmless || round >= 3 || Clock::now() >= until) throw;
            lost = true;
        }
        if (lost) {
            for (auto* const job : open) job->target = nullptr;
            co_await wait_for_a_server(*router, *open.front()->command, until);
            continue;
        }
        bool again = false, later = false;
        for (std::size_t i = 0; i < open.size(); ++i) {
            auto& job = *open[i];
            job.reply = std::move(replies[i]);
            job.open = false;
            if (!job.reply.is_error()) continue;
            auto turn = router->redirect(job.reply, *job.target);
            if (job.command->script() && job.reply.error_code() == "NOSCRIPT")
                turn = {.again = true, .target = job.target};
            job.open = turn.again;
            job.target = std::move(turn.target);
            job.asking = turn.asking;
            again = again || turn.again;
            later = later || turn.later;
        }
        if (!again || round >= max_rounds || Clock::now() >= until) co_return;
        if (later) {
            co_await sleep_for(pause);
            pause = std::min(pause * 2, max_pause);
        }
    }
}

}  // namespace buildplan::redis
