// QueueKeys: the names of one queue's keys in Redis, as BullMQ builds them: `PREFIX:QUEUE:TYPE`. An organization's
// prefix is `buildplan:{ORG}`: the braces put all of its queues into one slot of a Redis Cluster, so that flows and
// schedulers work across them. All names live in one allocation; copies are independent.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/id.hpp"

namespace buildplan::queue::bullmq {

// The contract's queues of every organization.
namespace queues {
inline constexpr std::string_view agent_jobs = "agent-jobs";
inline constexpr std::string_view github = "github";
inline constexpr std::string_view email = "email";
inline constexpr std::string_view webhook = "webhook";
inline constexpr std::string_view documents = "documents";
inline constexpr std::string_view billing = "billing";
inline constexpr std::string_view notifications = "notifications";
inline constexpr std::array all{agent_jobs, github, email, webhook, documents, billing, notifications};
}  // namespace queues

// `buildplan:{6f…}`. An id is a UUID and nothing else, so nobody can name a key of somebody else's.
std::string prefix_of(OrganizationId organization);

class QueueKeys {
public:
    enum Type : std::uint8_t {
        base,  // "PREFIX:QUEUE:", what the scripts call the key prefix
        active,
        wait,
        waiting_children,
        paused,
        id,
        delayed,
        prioritized,
        stalled_check,
        completed,
        failed,
        stalled,
        repeat,
        limiter,
        meta,
        events,
        pc,      // counts priorities, so that equal ones stay in order
        marker,  // what idle workers block on
        de,      // of deduplication ids
        completed_metrics,
        failed_metrics,
        types,
    };

    // Throws std::invalid_argument for an empty name or one with a colon, as BullMQ does.
    QueueKeys(std::string_view prefix, std::string_view queue);
    QueueKeys(OrganizationId organization, std::string_view queue) : QueueKeys(prefix_of(organization), queue) {}

    [[nodiscard]] std::string_view operator[](Type type) const noexcept {
        return std::string_view(names_).substr(begins_[type], begins_[type + 1U] - begins_[type]);
    }
    // The hash of a job, and what else is kept under it: "PREFIX:QUEUE:ID", "PREFIX:QUEUE:ID:logs".
    [[nodiscard]] std::string job(std::string_view job_id) const;
    [[nodiscard]] std::string job(std::string_view job_id, std::string_view part) const;
    [[nodiscard]] std::string deduplication(std::string_view deduplication_id) const;
    [[nodiscard]] std::string scheduler(std::string_view scheduler_id) const;

    [[nodiscard]] std::string_view prefix() const noexcept {
        return std::string_view(names_).substr(0, qualified_ - queue_ - 1U);
    }
    [[nodiscard]] std::string_view queue() const noexcept {
        return std::string_view(names_).substr(qualified_ - queue_, queue_);
    }
    // "PREFIX:QUEUE", which is how a job's parent names its queue.
    [[nodiscard]] std::string_view qualified_name() const noexcept {
        return std::string_view(names_).substr(0, qualified_);
    }

private:
    std::string names_;
    std::array<std::uint32_t, types + 1> begins_{};  // where each begins, and where the last ends
    std::uint32_t qualified_ = 0, queue_ = 0;        // lengths
};

// A job's key taken apart: "PREFIX:QUEUE:ID". An id of a scheduler's job ("repeat:ID:MILLIS") is told apart, too.
struct JobKey {
    std::string_view qualified_name;
    std::string_view id;
};
JobKey parse_job_key(std::string_view key, QueueKeys const& like);

}  // namespace buildplan::queue::bullmq
