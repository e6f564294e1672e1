#include "queue/bullmq/job_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "queue/bullmq/pack.hpp"

namespace buildplan::queue::bullmq {
namespace {

constexpr std::uint32_t most_priority = (1U << 21U) - 1;

bool is_integer(std::string_view text) {
    auto const digits = text.starts_with('-') ? text.substr(1) : text;
    return !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }) &&
           (digits == "0" || !digits.starts_with('0'));
}

template <class T>
void fill(std::optional<T>& to, std::optional<T> const& from) {
    if (!to) to = from;
}

}  // namespace

JobOptions JobOptions::over(JobOptions const& defaults) const {
    auto merged = *this;
    fill(merged.attempts, defaults.attempts);
    fill(merged.backoff, defaults.backoff);
    fill(merged.delay, defaults.delay);
    fill(merged.priority, defaults.priority);
    fill(merged.lifo, defaults.lifo);
    fill(merged.remove_on_complete, defaults.remove_on_complete);
    fill(merged.remove_on_fail, defaults.remove_on_fail);
    fill(merged.deduplication, defaults.deduplication);
    if (merged.on_failure == OnFailure::nothing) merged.on_failure = defaults.on_failure;
    fill(merged.keep_logs, defaults.keep_logs);
    fill(merged.size_limit, defaults.size_limit);
    fill(merged.stack_trace_limit, defaults.stack_trace_limit);
    fill(merged.telemetry, defaults.telemetry);
    fill(merged.omit_context, defaults.omit_context);
    return merged;
}

JobOptions const& contract_options() {
    static JobOptions const options = [] {
        JobOptions made;
        made.attempts = 3;
        made.backoff = Backoff{.type = "exponential", .delay = Millis{2000}};
        made.remove_on_complete = Keep::last(100);
        made.remove_on_fail = Keep::last(50);
        return made;
    }();
    return options;
}

void check(JobOptions const& options, std::size_t data_size) {
    auto const refuse = [](std::string const& why) { throw std::invalid_argument(why); };
    if (options.size_limit && static_cast<std::int64_t>(data_size) > *options.size_limit)
        refuse(fmt::format("the data of the job exceeds its limit of {} bytes", *options.size_limit));
    if (options.job_id) {
        auto const& id = *options.job_id;
        if (id.empty()) refuse("a job's id is not empty");
        if (is_integer(id)) refuse("a job's own id is no integer: those are counted by the queue");
        if (id.starts_with("0:")) refuse("a job's id does not begin with 0:");
        // Three parts are what job schedulers make.
        if (id.contains(':') && std::ranges::count(id, ':') != 2) refuse("a job's id has no colon");
    }
    if (options.priority && *options.priority > most_priority)
        refuse(fmt::format("a priority is between 0 and {}", most_priority));
    if (options.deduplication) {
        if (options.deduplication->id.empty()) refuse("a deduplication needs an id");
        if (options.parent) refuse("a job with a parent cannot be deduplicated");
    }
    if (options.backoff && options.backoff->jitter && !(*options.backoff->jitter >= 0 && *options.backoff->jitter <= 1))
        refuse("a jitter is between 0 and 1");
    if (options.delay && options.delay->count() < 0) refuse("a delay is not negative");
}

}  // namespace buildplan::queue::bullmq
