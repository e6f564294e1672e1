// Watch: notices work that nobody signalled. One process at a time watches a lane (a lease in the index; two for a
// moment do no harm):
//   - It hears the markers that producers of BullMQ write (keyspace notifications), ours and others'.
//   - Notifications can be lost, so it also goes over all organizations, at its own pace and off the way of jobs: it
//     tells the index what they pay for, probes their queues, and signals those with work that the index does not know
//     of, where that is still so a moment later. At once when it begins and when the notifications were interrupted.
//   - It takes back jobs of workers that died with nobody holding a turn for them (Redis forgot the turns), in two
//     rounds.
// In a cluster notifications are each node's own: it listens at every endpoint that it is given, the audit finds the
// rest.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "queue/fair/background.hpp"
#include "queue/fair/index.hpp"
#include "queue/fair/jobs.hpp"
#include "queue/fair/pool_metrics.hpp"
#include "redis/signal.hpp"
#include "redis/subscriber.hpp"

namespace buildplan::queue::fair {

// The organizations by their ids, at most so many after the given one. Fewer: there are no more.
using Organizations =
    std::function<task<std::vector<Admission>>(std::optional<OrganizationId> after, std::size_t most)>;

struct WatchOptions {
    std::string process;  // unique to it
    std::chrono::milliseconds lease{5'000};
    std::chrono::milliseconds audit_every{60'000};
    std::size_t page = 50;  // organizations probed in one flight
    std::chrono::milliseconds between_pages{50};
    std::chrono::milliseconds confirm_after{500};  // a producer is given so long to signal what it has added
    std::chrono::milliseconds gather{2};           // markers heard within this are signalled together
    std::size_t most_heard = 50'000;               // beyond it the audit is quicker
    bool enable_notifications = true;              // sets notify-keyspace-events where it may
};

class Watch {
public:
    // All of these outlive it. `redis` says where the queues are.
    Watch(Loop& loop, redis::Client& client, redis::Options redis, Index& index, Jobs& jobs,
          Organizations organizations, WatchOptions options);
    ~Watch();
    Watch(Watch const&) = delete;
    Watch& operator=(Watch const&) = delete;

    void start() { work_.spawn("queue watch", lead()); }
    // Gives the lease up, so that another process takes over at once.
    task<> stop();

    [[nodiscard]] bool leads() const noexcept { return ears_ != nullptr; }
    // All queues, once, without a pause between pages; how many the index did not know of.
    task<std::size_t> audit(std::chrono::milliseconds between_pages = std::chrono::milliseconds{0});

private:
    struct Ears;  // what listens, while we lead
    task<> lead();
    task<bool> hold_lease();
    task<> enable_notifications(redis::Options of);
    task<> signal_heard();
    task<> go_round();
    task<> tell();
    task<std::size_t> audit_page(std::vector<Admission> page);
    task<std::vector<Member>> unknown_with_work(std::vector<Member> members, bool recover);
    void heard(std::string_view channel, std::string_view event);

    Loop& loop_;
    redis::Client& client_;
    redis::Options redis_;
    Index& index_;
    Jobs& jobs_;
    Organizations organizations_;
    WatchOptions options_;
    WatchMetrics counts_;
    redis::Signal audit_now_, something_heard_;
    bool audit_asked_ = false;
    std::unordered_set<Member> heard_;
    std::unique_ptr<Ears> ears_;
    Background work_;
};

}  // namespace buildplan::queue::fair
