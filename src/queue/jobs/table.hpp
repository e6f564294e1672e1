// Jobs are data. A row says in which queue a job lies, what it is called, who does it, which events of the outbox
// become it, and how patient one is with it:
//
//     constexpr jobs::JobType table[] = {
//         {queues::webhook, "deliver", deliver_webhook, jobs::on("request.submitted"), jobs::attempts(10)},
//     };
//
// A handler is a free function. It may run more than once (a worker dies, a Redis is wiped), also twice at the same
// time, so its effects go through the transaction that JobContext::begin gives, which completes the job, or through
// something that is idempotent by the job's id. Rows are checked when the program is compiled.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "postgres/value.hpp"
#include "queue/bullmq/keys.hpp"
#include "runtime/task.hpp"

namespace buildplan::queue::jobs {

class JobContext;
namespace queues = bullmq::queues;

// What it answers with is a JSON text; the queue keeps it for a while with the job.
using Handler = task<postgres::Json> (*)(JobContext&);

// How often and when a job is tried, and how many of a queue stay to be looked at. The contract's unless a row says so.
struct Policy {
    std::int32_t attempts = 3;
    std::chrono::milliseconds backoff{2000};  // before the second attempt; twice that before each further one
    std::int32_t keep_completed = 100, keep_failed = 50;
};
inline constexpr Policy usual_policy;

constexpr bool is_queue(std::string_view name) noexcept {
    return std::ranges::find(queues::all, name) != queues::all.end();
}
constexpr bool is_job_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    });
}

struct JobType {
    template <class... Declarations>
    consteval JobType(std::string_view queue_, std::string_view name_, Handler handler_,
                      Declarations const&... declarations)
        : queue(queue_), name(name_), handler(handler_) {
        if (!is_queue(queue)) throw "there is no such queue";
        if (!is_job_name(name)) throw "a job is called like deliver or run.step";
        if (handler == nullptr) throw "a job has somebody who does it";
        (declarations.declare(*this), ...);
    }

    std::string_view queue, name;
    Handler handler;
    Policy policy;
    std::array<std::string_view, 16> topics{};  // which events become it; "mail.*" for all that begin with "mail."
    std::size_t topic_count = 0;
};

// Events of that topic become this job.
struct on {
    std::string_view topic;
    consteval explicit on(std::string_view topic_) : topic(topic_) {
        if (topic.empty() || topic.starts_with("job.")) throw "a topic that begins with job. names its queue itself";
        if (topic.find('*') < topic.size() - 1 || (topic.ends_with('*') && !topic.ends_with(".*")))
            throw "a topic may end with .* and has no other star";
    }
    consteval void declare(JobType& type) const {
        if (type.topic_count == type.topics.size()) throw "too many topics for one job";
        type.topics[type.topic_count++] = topic;
    }
};
struct attempts {
    std::int32_t count;
    consteval explicit attempts(std::int32_t count_) : count(count_) {
        if (count < 1 || count > 100) throw "a job is tried once to a hundred times";
    }
    consteval void declare(JobType& type) const { type.policy.attempts = count; }
};
struct backoff {
    std::chrono::milliseconds first;
    consteval explicit backoff(std::chrono::milliseconds first_) : first(first_) {}
    consteval void declare(JobType& type) const { type.policy.backoff = first; }
};

}  // namespace buildplan::queue::jobs
