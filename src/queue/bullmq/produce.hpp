// Adding jobs: commands for one flight of a shared redis::Client, and what their replies mean. No connection, timer or
// state of a queue is needed here.
#pragma once

#include <string>
#include <string_view>

#include "queue/bullmq/job_options.hpp"
#include "queue/bullmq/keys.hpp"
#include "redis/command.hpp"
#include "redis/value.hpp"

namespace buildplan::queue::bullmq {

struct NewJob {
    std::string name;
    std::string data = "{}";  // a JSON text
    JobOptions options = {};
};

// How a job hangs together with others when it is added.
struct Family {
    bool waits_for_children = false;  // added to waiting-children; its children follow
    bool in_flow = false;             // its parent is looked at when the whole flow is there
    std::string_view id = {};         // where its options name none
};

// The script that adds it: standard, delayed or prioritised, as its options say. Throws std::invalid_argument for
// options that BullMQ refuses, too.
redis::Command add_command(QueueKeys const& keys, NewJob const& job, Moment now, Family family = {});
// The job's id. Throws Refused (parent_missing, parent_cannot_be_replaced).
std::string read_added(redis::Value reply, NewJob const& job);

// After all jobs of a flow: a parent none of whose children is pending goes on. All in one transaction.
redis::Command release_parent_command(Parent const& parent, Moment now);

}  // namespace buildplan::queue::bullmq
