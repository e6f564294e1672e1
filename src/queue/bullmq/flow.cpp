#include "queue/bullmq/flow.hpp"

#include <stdexcept>

#include "core/uuid.hpp"

namespace buildplan::queue::bullmq {
namespace {

// Level by level, so that every parent comes before its children, as BullMQ does it.
struct Entry {
    FlowJob* node;
    Added* added;
};

void prepare(FlowJob& node, Added& added, JobOptions const& defaults) {
    auto& options = node.job.options;
    if (!node.children.empty() && options.deduplication)
        throw std::invalid_argument("a job with children cannot be deduplicated");
    auto const parent = options.parent;
    options = options.over(defaults);
    options.parent = parent;
    added.id = options.job_id ? *options.job_id : Uuid::v7().to_string();
    added.key = node.queue.job(added.id);
    added.children.resize(node.children.size());
    for (auto& child : node.children)
        child.job.options.parent = Parent{.id = added.id, .queue = std::string(node.queue.qualified_name())};
}

// A job of a flow has its id from here, without its being one of its options.
redis::Command add_node(FlowJob const& node, std::string const& id, Moment now) {
    return add_command(node.queue, node.job, now,
                       {.waits_for_children = !node.children.empty(), .in_flow = true, .id = id});
}

}  // namespace

task<Added> add_flow(redis::Client& client, FlowJob flow, JobOptions defaults) {
    std::vector<FlowJob> flows;
    flows.push_back(std::move(flow));
    auto added = co_await add_flows(client, std::move(flows), std::move(defaults));
    co_return std::move(added.front());
}

task<std::vector<Added>> add_flows(redis::Client& client, std::vector<FlowJob> flows, JobOptions defaults) {
    std::vector<Added> roots(flows.size());
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < flows.size(); ++i) entries.push_back({.node = &flows[i], .added = &roots[i]});
    auto const now = moment_now();
    std::vector<redis::Command> commands;
    std::vector<Parent> parents;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        auto const [node, added] = entries[i];
        prepare(*node, *added, defaults);
        commands.push_back(add_node(*node, added->id, now));
        if (auto const& parent = node->job.options.parent;
            parent && std::ranges::find(parents, *parent) == parents.end())
            parents.push_back(*parent);
        for (std::size_t child = 0; child < node->children.size(); ++child)
            entries.push_back({.node = &node->children[child], .added = &added->children[child]});
    }
    for (auto const& parent : parents) commands.push_back(release_parent_command(parent, now));
    auto replies = co_await client.transaction(std::move(commands));
    for (std::size_t i = 0; i < entries.size(); ++i)
        entries[i].added->id = read_added(std::move(replies[i]), entries[i].node->job);
    co_return roots;
}

task<Dependencies> dependencies(Queue queue, std::string job_id) {
    auto const& keys = queue.keys();
    std::vector<redis::Command> commands;
    commands.push_back(redis::Command("HGETALL", keys.job(job_id, "processed")));
    commands.push_back(redis::Command("SMEMBERS", keys.job(job_id, "dependencies")));
    commands.push_back(redis::Command("ZRANGE", keys.job(job_id, "unsuccessful"), 0, -1));
    commands.push_back(redis::Command("HGETALL", keys.job(job_id, "failed")));
    auto replies = co_await queue.client().pipeline(std::move(commands));
    auto const map = [](redis::Value& reply) {
        std::map<std::string, std::string> entries;
        auto& items = reply.items();
        for (std::size_t i = 0; i + 1 < items.size(); i += 2) entries[items[i].take_text()] = items[i + 1].take_text();
        return entries;
    };
    Dependencies found;
    found.processed = map(replies.at(0));
    found.unprocessed = read_ids(std::move(replies.at(1)));
    found.failed = read_ids(std::move(replies.at(2)));
    found.ignored = map(replies.at(3));
    co_return found;
}

task<std::optional<FlowTree>> get_flow(Queue queue, std::string job_id, int depth, std::size_t most_children) {
    auto job = co_await queue.job(job_id);
    if (!job) co_return std::nullopt;
    FlowTree tree{.key = queue.keys().job(job_id), .job = std::move(*job)};
    if (depth <= 1) co_return tree;
    auto const found = co_await dependencies(queue, job_id);
    std::vector<std::string> keys;
    auto const some = [&](auto const& of, auto key) {
        std::size_t count = 0;
        for (auto const& each : of)
            if (count++ < most_children) keys.push_back(key(each));
    };
    some(found.processed, [](auto const& each) { return each.first; });
    some(found.unprocessed, [](auto const& each) { return each; });
    some(found.failed, [](auto const& each) { return each; });
    some(found.ignored, [](auto const& each) { return each.first; });
    for (auto const& key : keys) {
        auto const [name, id] = parse_job_key(key, queue.keys());
        auto const colon = name.rfind(':');
        if (colon == name.npos) continue;
        Queue child_queue(queue.client(), QueueKeys(name.substr(0, colon), name.substr(colon + 1)));
        auto child = co_await get_flow(std::move(child_queue), std::string(id), depth - 1, most_children);
        if (child) tree.children.push_back(std::move(*child));
    }
    co_return tree;
}

}  // namespace buildplan::queue::bullmq
