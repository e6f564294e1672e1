// Events: what happens to the jobs of a queue, from its stream, over a connection of its own. Nothing is missed between
// two reads, as long as the stream is not trimmed in between (10,000 events by default).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "queue/bullmq/queue.hpp"

namespace buildplan::queue::bullmq {

struct Event {
    std::string id;    // of the stream: "1764109300000-0"
    std::string name;  // added, waiting, active, progress, completed, failed, stalled, …
    std::vector<std::pair<std::string, std::string>> fields;  // jobId, returnvalue, failedReason, prev, …

    [[nodiscard]] std::string_view operator[](std::string_view field) const noexcept;  // "" where it has none
};

class Events {
public:
    // From those after `after`, an event's id; "": from now on, that is from the first call.
    Events(redis::Client& client, QueueKeys keys, std::string after = {});

    // Those that came since the last call; waits for the first at most so long, then there are none.
    task<std::vector<Event>> next(Millis patience);
    // Has to be called where what follows must see all events from here on.
    task<> begin();

private:
    redis::Client* client_;
    QueueKeys keys_;
    std::string after_;
    std::unique_ptr<redis::Blocking> connection_;
};

// Waits until the job is finished: how it ended, or its state by then (waiting) when it takes longer.
task<Outcome> wait_until_finished(Queue queue, std::string job_id, Millis patience);

// Writes an event of one's own to the queue's stream, for those who listen.
task<> publish(Queue queue, std::string name, std::vector<std::pair<std::string, std::string>> fields,
               std::int64_t most_events = 10'000);

}  // namespace buildplan::queue::bullmq
