#include "queue/bullmq/refused.hpp"

#include <fmt/format.h>

#include "redis/errors.hpp"

namespace buildplan::queue::bullmq {
namespace {

std::string_view why_text(Refusal why) {
    switch (why) {
        case Refusal::job_missing:
            return "there is no such job";
        case Refusal::lock_missing:
            return "the job is not locked any more";
        case Refusal::not_in_state:
            return "the job is in another state";
        case Refusal::pending_children:
            return "children of the job are not finished";
        case Refusal::parent_missing:
            return "there is no such parent job";
        case Refusal::lock_mismatch:
            return "somebody else holds the lock of the job";
        case Refusal::parent_cannot_be_replaced:
            return "the job has another parent already";
        case Refusal::belongs_to_scheduler:
            return "the job belongs to a job scheduler";
        case Refusal::failed_children:
            return "a child of the job has failed";
        case Refusal::scheduler_collision:
            return "the scheduler's next job is there already";
        case Refusal::scheduler_slots_busy:
            return "the scheduler's next jobs are all there already";
    }
    return "refused with a code that is not known";
}

}  // namespace

void require_done(redis::Value const& reply, std::string_view doing, std::string_view job) {
    if (reply.is_error()) throw redis::ReplyError(reply);
    if (reply.kind() != redis::Value::Kind::integer) return;
    auto const code = reply.as_integer();
    if (code >= 0) return;
    auto const why = static_cast<Refusal>(code);
    throw Refused(why, fmt::format("{} {}: {} ({})", doing, job, why_text(why), code));
}

}  // namespace buildplan::queue::bullmq
