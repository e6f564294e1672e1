// Flows: jobs that wait for others. A tree is added in one transaction: parents to waiting-children, leaves to their
// queues; a parent becomes a job like any other when its last child is completed. In a Redis Cluster all queues of a
// flow are in one slot, as those of an organization are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "queue/bullmq/queue.hpp"

namespace buildplan::queue::bullmq {

struct FlowJob {
    QueueKeys queue;
    NewJob job;
    std::vector<FlowJob> children = {};
};

// What was added, in the shape of what was asked for.
struct Added {
    std::string key;  // "PREFIX:QUEUE:ID"
    std::string id;
    std::vector<Added> children = {};
};

// `defaults` go under the options of each job. Throws std::invalid_argument for options that BullMQ refuses, too, and
// Refused when the parent that the root names is not there.
task<Added> add_flow(redis::Client& client, FlowJob flow, JobOptions defaults = contract_options());
task<std::vector<Added>> add_flows(redis::Client& client, std::vector<FlowJob> flows,
                                   JobOptions defaults = contract_options());

// The children of a job by what became of them, as their keys, with results or reasons.
struct Dependencies {
    std::map<std::string, std::string> processed;  // JSON
    std::vector<std::string> unprocessed;
    std::vector<std::string> failed;
    std::map<std::string, std::string> ignored;  // reasons
};
task<Dependencies> dependencies(Queue queue, std::string job_id);

struct FlowTree {
    std::string key;
    Job job;
    std::vector<FlowTree> children = {};
};
// Down to `depth`, of each job at most so many children of each kind.
task<std::optional<FlowTree>> get_flow(Queue queue, std::string job_id, int depth = 10, std::size_t most_children = 20);

}  // namespace buildplan::queue::bullmq
