// Refused: a script of BullMQ did nothing, and says why. The numbers are BullMQ's (its ErrorCode).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "redis/value.hpp"

namespace buildplan::queue::bullmq {

enum class Refusal : int {
    job_missing = -1,
    lock_missing = -2,  // not locked any more: somebody else may work on it
    not_in_state = -3,  // e.g. promoting what is not delayed
    pending_children = -4,
    parent_missing = -5,
    lock_mismatch = -6,  // somebody else works on it
    parent_cannot_be_replaced = -7,
    belongs_to_scheduler = -8,
    failed_children = -9,
    scheduler_collision = -10,
    scheduler_slots_busy = -11,
};

class Refused : public std::runtime_error {
public:
    Refused(Refusal why_, std::string const& what) : std::runtime_error(what), why(why_) {}
    Refusal why;
    // Somebody else has it now, or has finished it: there is nothing left to do for us.
    [[nodiscard]] bool is_lost() const noexcept {
        return why == Refusal::job_missing || why == Refusal::lock_missing || why == Refusal::lock_mismatch ||
               why == Refusal::not_in_state;
    }
};

// Throws Refused where `reply` is a negative number, which is how the scripts refuse; `doing` and `job` go into the
// message. Throws redis::ReplyError for an error among a pipeline's replies.
void require_done(redis::Value const& reply, std::string_view doing, std::string_view job);

}  // namespace buildplan::queue::bullmq
