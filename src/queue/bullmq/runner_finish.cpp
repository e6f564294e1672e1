// How a job ends.
#include "queue/bullmq/runner_state.hpp"

namespace buildplan::queue::bullmq {
namespace {

using Clock = std::chrono::steady_clock;

Failure failure_of(Run const& run, std::string const& error) {
    return {.reason = error, .stacktrace = add_stack(run.job().stacktrace, "Error: " + error, run.options())};
}

}  // namespace

// A reply may be lost after the script was carried out. Then the job is found to be ours no more, and the next one that
// the script has taken for us is looked for under our token.
template <class Make>
task<Next> Runner::State::settle(Run& run, Make make, bool fetch_next) {
    bool perhaps_fetched = false;
    for (;;) {
        bool look = false;
        try {
            auto command = make(fetch_next);
            auto reply = co_await client.command(std::move(command));
            co_return read_finished(std::move(reply), run.job_.id);
        } catch (redis::Unavailable const& e) {
            perhaps_fetched = perhaps_fetched || (fetch_next && e.sent == redis::Unavailable::Sent::perhaps);
        } catch (Refused const& e) {
            if (!e.is_lost()) throw;
            look = perhaps_fetched;
            if (!look) {
                counts.lost.add();
                loop.log().warning("a job was no longer ours when it was finished",
                                   {{"job", run.job_.id}, {"why", e.what()}});
                co_return Next{};
            }
        }
        if (look) {
            auto command = claimed_command(*run.keys_, run.claim_.token);
            auto reply = co_await client.command(std::move(command));
            co_return read_next(std::move(reply));
        }
        if (Clock::now() > run.locked_ + run.claim_.lock_duration) {
            counts.lost.add();
            loop.log().error("a finished job could not be told to Redis in time", {{"job", run.job_.id}});
            co_return Next{};
        }
        constexpr auto pause = std::chrono::milliseconds{20};
        if (!co_await client.connected(std::chrono::seconds{1})) co_await sleep_for(pause);
    }
}

task<Next> Runner::State::finish(Run& run, Ended ended, std::function<bool()> fetch_next) {
    if (run.lost_ || run.handed_back_) {
        counts.lost.add();
        co_return Next{};
    }
    if (ended.error) co_return co_await fail(run, std::move(ended), fetch_next());
    if (std::holds_alternative<Moved>(ended.result)) {
        counts.delayed.add();
        co_return Next{};
    }
    if (auto const* limited = std::get_if<Limited>(&ended.result)) {
        auto queue = run.queue();
        co_await queue.limit_for(limited->by);
        co_await hand_back(run);
        co_return Next{.job = {}, .limited = limited->by};
    }
    bool const fetch = fetch_next();
    if (auto const* later = std::get_if<Later>(&ended.result)) {
        counts.delayed.add();
        Delay delay{.by = later->by, .counts_as_attempt = false};
        auto const make = [&run, &delay](bool with_next) {
            delay.fetch_next = with_next;
            return delay_command(*run.keys_, run.job_.id, delay, run.claim_, moment_now());
        };
        co_return co_await settle(run, make, fetch);
    }
    counts.completed.add();
    auto const& value = std::get<Completed>(ended.result).value;
    auto const make = [this, &run, &value](bool with_next) {
        auto how = options.finish;
        how.fetch_next = with_next;
        return complete_command(*run.keys_, run.job_, run.options_, value, run.claim_, how, moment_now());
    };
    co_return co_await settle(run, make, fetch);
}

task<Next> Runner::State::fail(Run& run, Ended ended, bool fetch_next) {
    if (run.hand_back_) {
        co_await hand_back(run);
        co_return Next{};
    }
    auto const& job = run.job_;
    auto const again = ended.for_good ? std::nullopt : wait_before_retry(run);
    auto const failure = failure_of(run, *ended.error);
    if (!again) {
        counts.failed.add();
        auto const make = [this, &run, &failure](bool with_next) {
            auto how = options.finish;
            how.fetch_next = with_next;
            return fail_command(*run.keys_, run.job_, run.options_, failure, run.claim_, how, moment_now());
        };
        co_return co_await settle(run, make, fetch_next);
    }
    counts.retried.add();
    if (again->count() <= 0) {
        auto const make = [&run, &job, &failure](bool) {
            return retry_command(*run.keys_, job.id, run.options_.lifo.value_or(false), failure, run.claim_.token,
                                 moment_now());
        };
        co_return co_await settle(run, make, false);
    }
    Delay delay{.by = *again, .failure = failure};
    auto const make = [&run, &job, &delay](bool with_next) {
        delay.fetch_next = with_next;
        return delay_command(*run.keys_, job.id, delay, run.claim_, moment_now());
    };
    co_return co_await settle(run, make, fetch_next);
}

std::optional<Millis> Runner::State::wait_before_retry(Run const& run) const {
    auto const& job = run.job_;
    if (options.most_starts && *options.most_starts <= job.attempts_started) return {};
    auto const& backoff = run.options_.backoff;
    if (!backoff || backoff->type == "fixed" || backoff->type == "exponential")
        return retry_delay(run.options_, job.attempts_made);
    if (job.attempts_made + 1 >= run.options_.attempts.value_or(0) || !options.backoff) return {};
    return options.backoff(*backoff, job.attempts_made + 1);
}

task<> Runner::State::hand_back(Run& run) {
    run.handed_back_ = true;
    counts.handed_back.add();
    try {
        auto replies = co_await client.pipeline(give_back_commands(*run.keys_, run.job_, run.claim_.token));
        require_done(replies.at(0), "handing back", run.job_.id);
    } catch (std::exception const& e) {
        loop.log().warning("a job was not handed back; it comes back when its lock has run out",
                           {{"job", run.job_.id}, {"why", e.what()}});
    }
}

}  // namespace buildplan::queue::bullmq
