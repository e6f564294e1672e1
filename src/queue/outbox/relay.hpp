// Relay: gives the queue what the outbox owes it. Any number of processes do so at the same time: each takes rows that
// no other has in its hands (SKIP LOCKED), adds their jobs, and marks the rows in the same transaction. Killed
// anywhere, the rows are taken again, and a job that is there already is not added twice.
//
// Woken by whoever listens to the bell; looks by itself every second, also for what the queue may have lost:
//   - A queue that has lost its whole memory (FLUSHALL, a new disk) has another epoch than the rows that were put into
//     it. Each row says in which epoch it was put, so what is owed of another epoch is queued again, whoever notices
//     first, and whatever dies while doing so.
//   - Part of it (failover to a replica that lagged): a slow sweep looks whether jobs that have been owed for longer
//     than a minute are there.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <string>

#include "core/metrics.hpp"
#include "postgres/pool.hpp"
#include "queue/jobs/catalog.hpp"
#include "queue/outbox/sink.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::queue::outbox {

struct Hands;

// What bell and listener agree on.
inline constexpr std::string_view bell_channel = "buildplan_outbox";

struct RelayOptions {
    std::int64_t batch = 500;
    std::chrono::milliseconds poll{1000};         // without the bell
    std::chrono::milliseconds gather{10};         // after a batch that was not full: what comes meanwhile is one batch
    std::chrono::milliseconds look{1000};         // between two looks for what was forgotten
    std::chrono::milliseconds pace{5};            // between two batches of what was forgotten
    std::chrono::milliseconds sweep_every{2000};  // between two pieces of the sweep
    std::chrono::milliseconds sweep_pause{60'000};  // between its end and its next beginning
    std::chrono::milliseconds sweep_older{60'000};  // what it looks for has been owed for so long
    std::size_t bytes = std::size_t{8} << 20;       // of data in a batch; a batch of more is followed by a smaller one
};

// Under which name a dead row is kept whose topic names no queue that there is.
inline constexpr std::string_view misdirected_queue = "misdirected";

class Relay {
public:
    using Options = RelayOptions;

    // All outlive it.
    Relay(Loop& loop, postgres::SystemPool& system, Sink& sink, jobs::Catalog const& catalog, Options options = {});

    void start();
    // Interrupts what is going on (what it has not marked is taken again by another) and returns when it has ended.
    task<> stop();
    // There is something new.
    void wake();

    // The pieces of its work, each a transaction; how many rows it had in its hands.
    task<std::size_t> relay_waiting();
    task<std::size_t> queue_forgotten();
    task<std::size_t> sweep();

private:
    using Clock = std::chrono::steady_clock;

    task<> run(Gate::Pass pass);
    task<bool> round();
    task<> rest();
    // recovery.cpp: adds them again and commits.
    task<std::size_t> queue_again(postgres::SystemTx& tx, Hands hands, metrics::Counter& counter);
    task<> queue_lost(std::vector<Place> missing);
    task<> settle_elsewhere(std::vector<Place> finished, std::vector<std::string> errors);

    Loop& loop_;
    postgres::SystemPool& system_;
    Sink& sink_;
    jobs::Catalog const& catalog_;
    Options options_;
    std::int64_t limit_;
    Timer timer_;
    bool woken_ = false, failing_ = false;
    Clock::time_point next_look_{}, next_sweep_{};
    Timestamp swept_to_{};
    jobs::EntryId swept_to_id_{};
    Gate gate_;
    asio::cancellation_signal cancel_;
    metrics::Counter &relayed_, &events_, &refused_, &forgotten_, &lost_;
    metrics::Histogram& delay_;
};

// Deletes rows that are settled long since, a bounded number; how many. For housekeeping.
task<std::uint64_t> sweep_outbox(postgres::SystemPool& system);

}  // namespace buildplan::queue::outbox
