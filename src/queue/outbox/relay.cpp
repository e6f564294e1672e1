#include "queue/outbox/relay.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include "queue/outbox/hands.hpp"

namespace buildplan::queue::outbox {
namespace {

metrics::Counter& rows(Loop& loop, std::string_view outcome) {
    return loop.metrics().counter("buildplan_outbox_rows_total", "Rows of the outbox, by what became of them.",
                                  {{"outcome", outcome}});
}

}  // namespace

Relay::Relay(Loop& loop, postgres::SystemPool& system, Sink& sink, jobs::Catalog const& catalog, Options options)
    : loop_(loop),
      system_(system),
      sink_(sink),
      catalog_(catalog),
      options_(options),
      limit_(options.batch),
      timer_(loop.executor()),
      relayed_(rows(loop, "queued")),
      events_(rows(loop, "nobody")),
      refused_(rows(loop, "refused")),
      forgotten_(rows(loop, "queued_again_forgotten")),
      lost_(rows(loop, "queued_again_lost")),
      delay_(loop.metrics().histogram("buildplan_outbox_delay_seconds",
                                      "From the transaction that wrote an event to its job in the queue.")) {}

void Relay::start() {
    asio::co_spawn(loop_.io(), run(gate_.enter()),
                   asio::bind_cancellation_slot(cancel_.slot(), [](std::exception_ptr) {}));
}

task<> Relay::stop() {
    cancel_.emit(asio::cancellation_type::terminal);
    co_await gate_.close();
}

void Relay::wake() {
    woken_ = true;
    timer_.cancel();
}

task<> Relay::run(Gate::Pass pass) {
    auto const held = std::move(pass);
    for (;;) {
        bool more = false;
        woken_ = false;
        try {
            more = co_await round();
            if (std::exchange(failing_, false)) loop_.log().info("the outbox is relayed again");
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::exception const& error) {
            if (!std::exchange(failing_, true))
                loop_.log().warning("the outbox cannot be relayed now", {{"error", error.what()}});
            woken_ = false;  // a bell does not hurry what cannot be done
        }
        if (!more) co_await rest();
    }
}

task<> Relay::rest() {
    if (woken_) co_return;
    timer_.expires_after(options_.poll);
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(use_task, woken));
    auto const cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
}

// Whether there is more to do at once.
task<bool> Relay::round() {
    auto const most = static_cast<std::size_t>(limit_);
    auto const taken = co_await relay_waiting();
    bool more = taken > 0;
    if (taken > 0 && taken < most) co_await sleep_for(options_.gather);
    auto const now = Clock::now();
    if (now >= next_look_) {
        auto const again = co_await queue_forgotten();
        next_look_ = again > 0 ? now : now + options_.look;
        if (again > 0) {
            co_await sleep_for(options_.pace);
            more = true;
        }
    }
    if (now >= next_sweep_) co_await sweep();
    co_return more;
}

task<std::size_t> Relay::relay_waiting() {
    auto tx = system_.begin("relay_outbox");
    queries::TakeWaiting const take{.limit = limit_};
    queries::Relax const relax;
    auto [relaxed, found] = co_await tx.pipeline(relax, take);
    Timestamp const taken_at = now();
    if (found.empty()) {
        co_await tx.rollback();
        co_return 0;
    }
    std::vector<Timestamp> written;
    for (auto const& row : found) written.push_back(row.created_at);
    Hands hands;
    hands.take_new(std::move(found), catalog_);
    limit_ =
        hands.bytes > options_.bytes ? std::max<std::int64_t>(1, limit_ / 2) : std::min(options_.batch, limit_ * 2);
    Sink::Added added;
    if (!hands.jobs.empty()) added = co_await sink_.add(hands.jobs);
    hands.refuse(std::move(added.refusals));
    queries::MarkRelayed const mark{.epoch = added.epoch,
                                    .organizations = hands.organizations,
                                    .ids = hands.ids,
                                    .queues = hands.queues,
                                    .jobs = hands.names,
                                    .errors = hands.errors};
    co_await tx.commit_with(mark);
    auto const refused = static_cast<std::size_t>(
        std::ranges::count_if(hands.errors, [](std::string const& error) { return !error.empty(); }));
    relayed_.add(hands.jobs.size());
    refused_.add(refused);
    events_.add(hands.size() - hands.jobs.size());
    for (auto const& moment : written)
        delay_.observe(std::max(0.0, std::chrono::duration<double>(taken_at - moment).count()));
    if (refused > 0) loop_.log().error("events of the outbox cannot be jobs", {{"rows", refused}});
    co_return hands.size();
}

}  // namespace buildplan::queue::outbox
