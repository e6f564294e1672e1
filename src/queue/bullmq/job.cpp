#include "queue/bullmq/job.hpp"

#include <charconv>

namespace buildplan::queue::bullmq {
namespace {

// Numbers in a job's hash are decimal texts; what is none counts as 0. Lua writes large ones with an exponent.
std::int64_t number(std::string_view text) {
    std::int64_t whole = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (error == std::errc{} && end == text.data() + text.size()) return whole;
    double real = 0;
    std::from_chars(text.data(), text.data() + text.size(), real);
    return static_cast<std::int64_t>(real);
}

Moment moment(std::string_view text) { return Moment{Millis{number(text)}}; }

void read_field(Job& job, std::string_view name, redis::Value& value) {
    if (!value.is_text()) return;
    auto const text = value.as_text();
    if (name == "name") {
        job.name = value.take_text();
    } else if (name == "data") {
        if (!text.empty()) job.data = value.take_text();
    } else if (name == "opts") {
        if (!text.empty()) job.options_json = value.take_text();
    } else if (name == "timestamp") {
        job.timestamp = moment(text);
    } else if (name == "delay") {
        job.delay = Millis{number(text)};
    } else if (name == "priority") {
        job.priority = static_cast<std::uint32_t>(number(text));
    } else if (name == "processedOn") {
        job.processed_on = moment(text);
    } else if (name == "finishedOn") {
        job.finished_on = moment(text);
    } else if (name == "ats") {
        job.attempts_started = number(text);
    } else if (name == "atm" || name == "attemptsMade") {
        job.attempts_made = number(text);
    } else if (name == "stc") {
        job.stalled = number(text);
    } else if (name == "progress") {
        job.progress = value.take_text();
    } else if (name == "returnvalue") {
        job.return_value = value.take_text();
    } else if (name == "failedReason") {
        job.failed_reason = value.take_text();
    } else if (name == "stacktrace") {
        job.stacktrace = value.take_text();
    } else if (name == "defa") {
        job.deferred_failure = value.take_text();
    } else if (name == "parentKey") {
        job.parent_key = value.take_text();
    } else if (name == "parent") {
        job.parent = value.take_text();
    } else if (name == "rjk") {
        job.repeat_job_key = value.take_text();
    } else if (name == "deid") {
        job.deduplication_id = value.take_text();
    } else if (name == "pb") {
        job.processed_by = value.take_text();
    }
}

}  // namespace

namespace {

void read_fields(Job& job, std::string id, redis::Value::Items& items) {
    job.id = std::move(id);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) read_field(job, items[i].as_text(), items[i + 1]);
}

}  // namespace

std::optional<Job> read_job(std::string id, redis::Value fields) {
    if (fields.items().empty()) return {};
    std::optional<Job> job(std::in_place);
    read_fields(*job, std::move(id), fields.items());
    return job;
}

// {fields, id, 0, 0}, {0, 0, milliseconds, 0}, {0, 0, 0, moment} or nothing at all.
Next read_next(redis::Value reply) {
    Next next;
    if (!reply.is_aggregate() || reply.size() < 4) return next;
    auto& parts = reply.items();
    if (parts[0].is_aggregate() && !parts[0].items().empty()) {
        next.job = Job{};
        read_fields(*next.job, parts[1].take_text(), parts[0].items());
    }
    next.limited = Millis{std::max<std::int64_t>(parts[2].as_integer(), 0)};
    next.delayed_until = Moment{Millis{std::max<std::int64_t>(static_cast<std::int64_t>(parts[3].as_real()), 0)}};
    return next;
}

}  // namespace buildplan::queue::bullmq
