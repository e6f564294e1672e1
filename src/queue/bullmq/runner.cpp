#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>

#include "queue/bullmq/job_scheduler.hpp"
#include "queue/bullmq/runner_state.hpp"

namespace buildplan::queue::bullmq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view jobs_help = "Jobs that this process has worked on.";

metrics::Counter& counted(metrics::Registry& registry, std::string_view name, std::string_view outcome) {
    return registry.counter("buildplan_jobs_total", jobs_help, {{"runner", name}, {"outcome", outcome}});
}

}  // namespace

RunnerMetrics::RunnerMetrics(metrics::Registry& registry, std::string_view name)
    : completed(counted(registry, name, "completed")),
      failed(counted(registry, name, "failed")),
      retried(counted(registry, name, "retried")),
      delayed(counted(registry, name, "delayed")),
      handed_back(counted(registry, name, "handed_back")),
      lost(counted(registry, name, "lost")),
      running(registry.gauge("buildplan_jobs_running", "Jobs that are being worked on.", {{"runner", name}})),
      seconds(registry.histogram("buildplan_job_seconds", "How long the handlers of jobs took.", {{"runner", name}})) {}

Runner::Runner(Loop& loop, redis::Client& client, Handler handler, RunnerOptions options)
    : state_(std::make_shared<State>(loop, client, std::move(handler), std::move(options))) {}

Runner::~Runner() {
    state_->stopping = true;
    state_->changed.wake();
}

std::size_t Runner::running() const noexcept { return state_->runs.size(); }

task<Next> Runner::work(std::shared_ptr<QueueKeys const> keys, Job job, Claim claim, std::function<bool()> fetch_next) {
    auto run = std::make_shared<Run>(state_->client, std::move(keys), std::move(job), std::move(claim));
    return state_->work(std::move(run), std::move(fetch_next));
}

bool Runner::cancel(QueueKeys const& keys, std::string_view job_id, std::string reason, AfterCancel after) {
    for (auto* const run : state_->runs) {
        if (run->job_.id != job_id || (*run->keys_)[QueueKeys::base] != keys[QueueKeys::base]) continue;
        if (!run->in_handler_) return false;
        run->cancel(std::move(reason), after);
        return true;
    }
    return false;
}

void Runner::cancel_all(std::string const& reason, AfterCancel after) {
    std::vector<Run*> const now(state_->runs.begin(), state_->runs.end());
    for (auto* const run : now)
        if (state_->runs.contains(run) && run->in_handler_) run->cancel(reason, after);
}

task<Next> Runner::State::work(std::shared_ptr<Run> run, std::function<bool()> fetch_next) {
    auto const self = shared_from_this();
    auto const began = run->locked_ = Clock::now();
    runs.insert(run.get());
    counts.running.add(1);
    if (!std::exchange(renewing, true)) loop.spawn("locks of jobs", renew(self));
    if (!run->job_.repeat_job_key.empty()) {
        try {
            co_await schedule_next(client, *run->keys_, run->job_);
        } catch (std::exception const& e) {
            loop.log().error("the next job of a scheduler was not added",
                             {{"scheduler", run->job_.repeat_job_key}, {"error", e.what()}});
        }
    }
    auto ended = co_await handle(*run);
    counts.seconds.observe(std::chrono::duration<double>(Clock::now() - began).count());
    Next next;
    try {
        next = co_await finish(*run, std::move(ended), std::move(fetch_next));
    } catch (std::exception const& e) {
        counts.lost.add();
        loop.log().error("a job could not be finished", {{"job", run->job_.id}, {"error", e.what()}});
    }
    runs.erase(run.get());
    counts.running.add(-1);
    changed.wake();
    co_return next;
}

task<Runner::State::Ended> Runner::State::handle(Run& run) {
    Ended ended;
    try {
        run.options_ = run.job_.options();
    } catch (std::exception const& e) {
        ended.error = e.what();
        ended.for_good = true;
        co_return ended;
    }
    if (!run.job_.deferred_failure.empty()) {
        ended.error = run.job_.deferred_failure;
        ended.for_good = true;
    } else if (options.most_starts && *options.most_starts < run.job_.attempts_started) {
        ended.error = "job started more than allowable limit";
        ended.for_good = true;
    }
    if (ended.error) co_return ended;
    run.in_handler_ = true;
    try {
        ended.result = co_await asio::co_spawn(loop.executor(), handler(run),
                                               asio::bind_cancellation_slot(run.signal_.slot(), use_task));
    } catch (Unrecoverable const& e) {
        ended.error = e.what();
        ended.for_good = true;
    } catch (std::exception const& e) {
        ended.error = e.what();
    } catch (...) {
        ended.error = "unknown";
    }
    run.in_handler_ = false;
    if (ended.error && run.cancelled_) {
        ended.error = run.reason_;
        ended.for_good = run.after_ == AfterCancel::fail;
    }
    co_return ended;
}

task<> Runner::stop(Millis grace) {
    auto const state = state_;
    state->stopping = true;
    state->changed.wake();
    auto const wait = [](std::shared_ptr<State> of, Clock::time_point until) -> task<> {
        while (!of->runs.empty() && Clock::now() < until) co_await of->changed.wait(until);
    };
    co_await wait(state, Clock::now() + grace);
    if (state->runs.empty()) co_return;

    std::vector<Run*> const unfinished(state->runs.begin(), state->runs.end());
    for (auto* const run : unfinished) {
        if (!state->runs.contains(run)) continue;
        run->hand_back_ = true;
        run->cancel("the worker stops", AfterCancel::retry);
    }
    constexpr auto to_unwind = std::chrono::milliseconds{500};
    co_await wait(state, Clock::now() + to_unwind);
    // What does not listen is handed back under its feet: it will find its lock gone.
    std::vector<Run*> const deaf(state->runs.begin(), state->runs.end());
    for (auto* const run : deaf)
        if (state->runs.contains(run) && !run->handed_back_) co_await state->hand_back(*run);
}

}  // namespace buildplan::queue::bullmq
