// Job schedulers: a template of which a job is added again and again, by a cron pattern in a time zone or every so many
// milliseconds. BullMQ keeps them as `repeat:ID` beside the queue; whoever takes a job of one adds the next
// (schedule_next), so a scheduler lives as long as somebody works on the queue.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "queue/bullmq/queue.hpp"

namespace buildplan::queue::bullmq {

struct Repeat {
    std::optional<std::string> pattern = {};  // cron.hpp; either this
    std::optional<Millis> every = {};         // or this
    std::string time_zone = {};               // IANA name; "": UTC
    std::optional<Moment> start = {}, end = {};
    std::optional<std::int64_t> limit = {};  // of jobs
    std::optional<Millis> offset = {};       // of `every`, from its multiples since 1970
    bool immediately = false;                // the first one now, with a pattern
};

struct JobTemplate {
    std::string name;  // "": the scheduler's id
    std::string data = "{}";
    JobOptions options = {};
};

struct SchedulerInfo {
    std::string id, name;
    std::optional<Moment> next;
    std::int64_t count = 0;  // jobs so far
    Repeat repeat;
    std::string data, options_json;
};

// Makes or changes a scheduler, and adds its next job: that one's id, nothing when there is none to come. Throws
// std::invalid_argument for a pattern or zone that nobody understands, and Refused when its next job is there already.
task<std::optional<std::string>> upsert_scheduler(Queue queue, JobOptions defaults, std::string id, Repeat repeat,
                                                  JobTemplate job);
// False when there is none.
task<bool> remove_scheduler(Queue queue, std::string id);
task<std::optional<SchedulerInfo>> get_scheduler(Queue queue, std::string id);
task<std::vector<SchedulerInfo>> list_schedulers(Queue queue, Page page = {});
task<std::int64_t> count_schedulers(Queue queue);

// For whoever has taken `job`, which a scheduler made (its repeat_job_key is set): adds the next one. Nothing when it
// was the last, or when the scheduler is gone or has another next one.
task<std::optional<std::string>> schedule_next(redis::Client& client, QueueKeys const& keys, Job const& job);

}  // namespace buildplan::queue::bullmq
