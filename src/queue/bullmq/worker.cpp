#include "queue/bullmq/worker.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/system/system_error.hpp>

#include "core/text.hpp"
#include "redis/signal.hpp"

namespace buildplan::queue::bullmq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto after_a_failure = std::chrono::milliseconds{100};

}  // namespace

struct Worker::State : std::enable_shared_from_this<Worker::State> {
    State(Loop& loop_, redis::Client& client_, QueueKeys keys_, Handler handler, WorkerOptions options_)
        : loop(loop_),
          client(client_),
          keys(std::make_shared<QueueKeys const>(std::move(keys_))),
          options(std::move(options_)),
          runner(loop, client, std::move(handler), options.runner),
          id(Uuid::v7().to_string()),
          changed(loop.executor()) {}

    Loop& loop;
    redis::Client& client;
    std::shared_ptr<QueueKeys const> const keys;
    WorkerOptions const options;
    Runner runner;
    std::string const id;
    std::uint64_t tokens = 0;
    redis::Signal changed;  // a slot is free, or it is paused, resumed or stopped
    bool started = false, paused = false, stopping = false;
    unsigned busy = 0;       // slots
    bool drained = false;    // the last look found nothing
    Moment limited_until{};  // by the rate limit
    Moment delayed_until{};  // when the next delayed job is due; epoch: none is known
    bool blocked = false;    // on the marker
    bool named = false;      // the connection that blocks
    asio::cancellation_signal unblock;

    [[nodiscard]] bool takes() const { return !paused && !stopping; }

    void note(Next const& next) {
        drained = !next.job.has_value();
        limited_until = next.limited.count() > 0 ? moment_now() + next.limited : Moment{};
        delayed_until = next.delayed_until;
    }

    // How BullMQ's tools find the workers of a queue in the list of clients.
    [[nodiscard]] std::string client_name() const {
        auto name = base64url(keys->queue());
        std::ranges::replace(name, '-', '+');
        std::ranges::replace(name, '_', '/');
        name.append((4 - name.size() % 4) % 4, '=');
        name.insert(0, std::string(keys->prefix()) + ":");
        return options.name.empty() ? name : name + ":w:" + options.name;
    }

    static task<> fetch(std::shared_ptr<State> self);
    task<std::optional<Next>> take(Claim const& claim);
    task<bool> wait_for_work(redis::Blocking& blocking);
    static task<> slot(std::shared_ptr<State> self, Job job, Claim claim);
    static task<> check_stalled(std::shared_ptr<State> self);
};

Worker::Worker(Loop& loop, redis::Client& client, QueueKeys keys, Handler handler, WorkerOptions options)
    : state_(std::make_shared<State>(loop, client, std::move(keys), std::move(handler), std::move(options))) {}

Worker::~Worker() {
    state_->stopping = true;
    state_->changed.wake();
    state_->unblock.emit(asio::cancellation_type::terminal);
}

void Worker::start() {
    if (std::exchange(state_->started, true)) return;
    asio::co_spawn(state_->loop.io(), State::fetch(state_),
                   asio::bind_cancellation_slot(state_->unblock.slot(), asio::detached));
    if (state_->options.checks_stalled) state_->loop.spawn("stalled jobs", State::check_stalled(state_));
}

void Worker::pause() { state_->paused = true; }
void Worker::resume() {
    state_->paused = false;
    state_->changed.wake();
}
bool Worker::paused() const noexcept { return state_->paused; }
std::size_t Worker::running() const noexcept { return state_->runner.running(); }

bool Worker::cancel(std::string_view job_id, std::string reason, AfterCancel after) {
    return state_->runner.cancel(*state_->keys, job_id, std::move(reason), after);
}

task<> Worker::stop(Millis grace) {
    auto const state = state_;
    state->stopping = true;
    state->changed.wake();
    if (state->blocked) {
        state->unblock.emit(asio::cancellation_type::terminal);
        // It may have taken the marker out that very moment.
        try {
            auto command = wake_command(*state->keys);
            co_await state->client.command(std::move(command));
        } catch (redis::Failure const&) {
            // Others look by themselves after a while.
        }
    }
    co_await state->runner.stop(grace);
    auto const until = Clock::now() + std::chrono::seconds{1};
    while (state->busy > 0 && Clock::now() < until) co_await state->changed.wait(until);
}

task<> Worker::State::fetch(std::shared_ptr<State> self) {
    auto const blocking = self->client.blocking(std::string((*self->keys)[QueueKeys::marker]));
    while (!self->stopping) {
        if (self->paused || self->busy >= self->options.concurrency) {
            co_await self->changed.wait(Clock::time_point::max());
            continue;
        }
        if (auto const now = moment_now(); self->limited_until > now) {
            // No longer than this, so that delayed jobs are still promoted.
            constexpr Millis longest{30'000};
            co_await self->changed.wait(Clock::now() + std::min<Millis>(self->limited_until - now, longest));
            self->drained = false;
            continue;
        }
        if (self->drained && !co_await self->wait_for_work(*blocking)) continue;
        if (self->stopping) break;
        if (self->paused) {
            self->client.send(wake_command(*self->keys));
            continue;
        }
        Claim claim{.token = self->id + ':' + std::to_string(self->tokens++),
                    .lock_duration = self->options.lock_duration,
                    .limit = self->options.limit,
                    .worker = self->options.name};
        auto next = co_await self->take(claim);
        if (!next) continue;
        self->note(*next);
        if (!next->job) continue;
        ++self->busy;
        self->loop.spawn("job", slot(self, std::move(*next->job), std::move(claim)));
    }
}

// Nothing when Redis cannot be asked; a job that was taken by a command whose reply is lost is found all the same.
task<std::optional<Next>> Worker::State::take(Claim const& claim) {
    auto command = move_to_active_command(*keys, claim, moment_now());
    for (bool again = false;;) {
        try {
            auto reply = co_await client.command(std::move(command));
            co_return read_next(std::move(reply));
        } catch (redis::Unavailable const& e) {
            again = again || e.sent == redis::Unavailable::Sent::perhaps;
        } catch (redis::Failure const& e) {
            loop.log().error("jobs cannot be taken", {{"queue", keys->qualified_name()}, {"why", e.what()}});
        }
        if (stopping) co_return std::nullopt;
        co_await client.connected(std::chrono::seconds{1});
        co_await sleep_for(after_a_failure);
        if (!again) co_return std::nullopt;
        command = claimed_command(*keys, claim.token);
    }
}

// True: there may be a job now. False: not yet.
task<bool> Worker::State::wait_for_work(redis::Blocking& blocking) {
    constexpr Millis longest{10'000}, shortest{1};
    auto const due = delayed_until;
    auto const wait = due == Moment{} ? options.idle : std::min<Millis>(due - moment_now(), longest);
    if (wait.count() <= 0) co_return true;
    delayed_until = {};
    auto const seconds = static_cast<double>(std::max(wait, shortest).count()) / 1000;
    redis::Value taken;
    bool failed = false;
    blocked = true;
    try {
        if (!std::exchange(named, true)) {
            redis::Command name("CLIENT", "SETNAME", client_name());
            co_await blocking.command(std::move(name), Millis{0});
        }
        redis::Command pop("BZPOPMIN", (*keys)[QueueKeys::marker], seconds);
        taken = co_await blocking.command(std::move(pop), wait);
    } catch (redis::Failure const&) {
        failed = true;
    } catch (...) {
        blocked = false;
        throw;
    }
    blocked = false;
    if (failed) {
        named = false;
        if (!stopping) co_await sleep_for(after_a_failure);
        co_return true;
    }
    if (taken.is_nil()) co_return true;
    auto const marked = Moment{Millis{static_cast<std::int64_t>(taken[2].as_real())}};
    delayed_until = due != Moment{} && marked > due ? due : marked;
    co_return delayed_until - moment_now() < shortest;
}

task<> Worker::State::slot(std::shared_ptr<State> self, Job job, Claim claim) {
    auto const more = [state = self.get()] { return state->takes() && state->busy <= state->options.concurrency; };
    for (;;) {
        auto next = co_await self->runner.work(self->keys, std::move(job), claim, more);
        if (next.job || next.limited.count() > 0 || next.delayed_until != Moment{}) self->note(next);
        if (!next.job) break;
        job = std::move(*next.job);
    }
    --self->busy;
    self->changed.wake();
}

task<> Worker::State::check_stalled(std::shared_ptr<State> self) {
    while (!self->stopping) {
        try {
            auto command = stalled_command(*self->keys, self->options.stalled, moment_now());
            auto reply = co_await self->client.command(std::move(command));
            for (auto const& id : read_ids(std::move(reply)))
                self->loop.log().warning("a job had lost its worker", {{"job", id}});
        } catch (redis::Failure const&) {
            // The next round is soon enough.
        }
        auto const until = Clock::now() + self->options.stalled.interval;
        while (!self->stopping && Clock::now() < until) co_await self->changed.wait(until);
    }
}

}  // namespace buildplan::queue::bullmq
