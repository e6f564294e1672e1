#include "redis/link.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

namespace buildplan::redis {
namespace {

constexpr std::string_view failures_help = "Commands to Redis without the answer that was wanted.";

std::exception_ptr cancelled() {
    return std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
}

// A deadline this far away never comes; for commands that nobody waits for any more.
constexpr auto never = Clock::time_point::max();
constexpr std::size_t read_buffer = 64uz * 1024, kept_buffer = 1024uz * 1024;

}  // namespace

LinkMetrics::LinkMetrics(metrics::Registry& registry, std::string_view name)
    : commands(registry.counter("buildplan_redis_commands_total", "Commands sent to Redis.", {{"redis", name}})),
      error_replies(
          registry.counter("buildplan_redis_failures_total", failures_help, {{"redis", name}, {"why", "error_reply"}})),
      timeouts(
          registry.counter("buildplan_redis_failures_total", failures_help, {{"redis", name}, {"why", "timeout"}})),
      refused(registry.counter("buildplan_redis_failures_total", failures_help,
                               {{"redis", name}, {"why", "not_connected"}})),
      lost(registry.counter("buildplan_redis_failures_total", failures_help,
                            {{"redis", name}, {"why", "connection_lost"}})),
      connects(registry.counter("buildplan_redis_connects_total", "Connections made to Redis, the first included.",
                                {{"redis", name}})),
      redirected(registry.counter("buildplan_redis_redirections_total",
                                  "Commands that a cluster's node sent elsewhere (MOVED, ASK).", {{"redis", name}})),
      in_flight(registry.gauge("buildplan_redis_commands_in_flight", "Commands that wait for their reply.",
                               {{"redis", name}})),
      up(registry.gauge("buildplan_redis_connections_up", "Connections to Redis that answer.", {{"redis", name}})),
      latency(registry.histogram("buildplan_redis_command_seconds", "From a command's submission to its reply.",
                                 {{"redis", name}})) {}

Link::Link(std::shared_ptr<LinkContext> context, Endpoint endpoint, Mode mode)
    : context_(std::move(context)),
      endpoint_(std::move(endpoint)),
      mode_(mode),
      socket_(context_->loop.executor()),
      resolver_(context_->loop.executor()),
      timer_(context_->loop.executor()),
      deadlines_(context_->loop.executor()),
      in_(read_buffer),
      came_up_(context_->loop.executor()),
      drained_(context_->loop.executor()) {}

void Link::start() { context_->loop.spawn("redis link", run(shared_from_this())); }

void Link::stop() {
    stopped_ = true;
    on_state = nullptr;
    on_push = nullptr;
    drop("closed");
    timer_.cancel();
    came_up_.wake();
}

void Link::drop(std::string why) {
    if (reason_.empty()) reason_ = std::move(why);
    if (up_) context_->counts.up.add(-1);
    up_ = false;
    resolver_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);  // the reader wakes up and tells everybody
}

task<> Link::drain() {
    draining_ = true;
    auto const self = shared_from_this();
    auto latest = Clock::now();
    for (auto const& pending : pending_) {
        if (pending.deadline != never) latest = std::max(latest, pending.deadline);
    }
    if (!pending_.empty()) co_await drained_.wait(latest);
}

task<bool> Link::wait_up(Clock::time_point until) {
    auto const self = shared_from_this();
    if (!up() && !stopped_ && !draining_) co_await came_up_.wait(until);
    co_return up();
}

bool Link::takes(std::size_t commands) const noexcept {
    auto const& options = context_->options;
    return up() && pending_.size() + commands <= options.max_in_flight &&
           out_.size() + sending_.size() <= options.max_unsent;
}

void Link::require(std::size_t commands) const {
    if (takes(commands)) return;
    context_->counts.refused.add(commands);
    throw Unavailable(up() ? "Redis has more to do than it can take" : "Redis is not connected", Unavailable::Sent::no);
}

Link::Pending& Link::push(Command const& command) {
    auto const now = Clock::now();
    auto& pending = pending_.emplace_back();
    auto const number = first_pending_ + pending_.size() - 1;
    pending.submitted = now;
    pending.deadline = now + (command.patience().count() > 0 ? command.patience() : context_->options.timeout);
    pending.script = command.script();
    command.encode(out_, command.script() && known_scripts_.try_emplace(command.script(), number).second);
    watch_deadline(pending.deadline);
    flush_soon();
    context_->counts.commands.add();
    context_->counts.in_flight.add(1);
    return pending;
}

void Link::submit(Command const& command, Completion<Value> done) {
    auto& pending = push(command);
    done.on_cancel([this, number = first_pending_ + pending_.size() - 1] { cancel(number); });
    pending.done = std::move(done);
}

void Link::submit(Command const& command, std::shared_ptr<Flight> flight, std::size_t index) {
    auto& pending = push(command);
    pending.flight = std::move(flight);
    pending.index = index;
}

void Link::submit(Command const& command) { push(command); }

void Link::write(Command const& command) {
    if (!up_) return;
    command.encode(out_);
    flush_soon();
}

// The reply stays awaited, its caller does not.
void Link::cancel(std::uint64_t number) {
    auto const at = number - first_pending_;
    if (at >= pending_.size()) return;
    pending_[at].late = true;
    auto done = std::move(pending_[at].done);
    done.fail(cancelled());
}

void Link::flush_soon() {
    if (flush_posted_ || writing_) return;
    flush_posted_ = true;
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
        self->flush_posted_ = false;
        self->flush();
    });
}

void Link::flush() {
    if (!up_ || writing_ || out_.empty()) return;
    writing_ = true;
    std::swap(out_, sending_);
    asio::async_write(
        socket_, asio::buffer(sending_),
        [self = shared_from_this(), connection = connection_](boost::system::error_code error, std::size_t) {
            if (connection != self->connection_) return;
            self->writing_ = false;
            self->sending_.clear();
            if (self->sending_.capacity() > kept_buffer) self->sending_.shrink_to_fit();
            if (error) return self->drop(error.message());
            self->flush();
        });
}

void Link::received(std::string_view bytes) {
    auto const now = last_received_ = Clock::now();
    if (std::exchange(silent_, false)) came_up_.wake();
    while (auto value = parser_.next(bytes)) {
        if (mode_ == Mode::listening || value->kind() == Value::Kind::push) {
            if (auto const push = on_push) push(*value);
        } else {
            if (pending_.empty()) throw ProtocolError("Redis answered what nobody asked");
            auto pending = std::move(pending_.front());
            pending_.pop_front();
            answer(std::move(pending), first_pending_++, std::move(*value), now);
        }
        if (!up_) return;  // somebody who was resumed has stopped us
    }
    if (draining_ && pending_.empty()) drained_.wake();
}

void Link::answer(Pending pending, std::uint64_t number, Value value, Clock::time_point now) {
    auto& counts = context_->counts;
    counts.in_flight.add(-1);
    counts.latency.observe(std::chrono::duration<double>(now - pending.submitted).count());
    if (value.is_error()) {
        counts.error_replies.add();
        if (pending.script && value.error_code() == "NOSCRIPT") {
            // Others that were sent before this answer came fail like it; the next call carries the source, once.
            auto const known = known_scripts_.find(pending.script);
            if (known != known_scripts_.end() && known->second <= number) known_scripts_.erase(known);
        }
    }
    if (pending.flight) {
        pending.flight->answer(pending.index, std::move(value));
    } else {
        pending.done(std::move(value));
    }
}

void Link::watch_deadline(Clock::time_point deadline) {
    if (deadlines_at_ && *deadlines_at_ <= deadline) return;
    deadlines_at_ = deadline;
    deadlines_.expires_at(deadline);
    deadlines_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (!error) self->sweep();
    });
}

// The timer stands for the earliest deadline of a while ago, so that it is not set for every command: one pass over all
// that waits, about once in each timeout.
void Link::sweep() {
    deadlines_at_.reset();
    auto const now = Clock::now();
    auto next = never;
    bool hangs = false;
    std::vector<Completion<Value>> late;
    std::vector<std::shared_ptr<Flight>> late_flights;
    for (auto& pending : pending_) {
        if (pending.deadline > now) {
            next = std::min(next, pending.deadline);
            continue;
        }
        pending.deadline = never;
        if (last_received_ <= pending.submitted) {
            silent_ = true;
            auto const enough = pending.submitted + context_->options.timeout;
            hangs = hangs || enough <= now;
            pending.deadline = std::max(enough, now);
            next = std::min(next, pending.deadline);
        }
        if (std::exchange(pending.late, true)) continue;
        context_->counts.timeouts.add();
        if (pending.flight) late_flights.push_back(pending.flight);
        if (pending.done) late.push_back(std::move(pending.done));
    }
    if (next != never) watch_deadline(std::max(next, now + std::chrono::milliseconds{2}));
    if (hangs) drop("Redis does not answer");
    auto const error = std::make_exception_ptr(Timeout());
    for (auto& done : late) done.fail(error);
    for (auto& flight : late_flights) flight->done.fail(error);
}

}  // namespace buildplan::redis
