// Against a real Redis Cluster: an organization's queues are in one slot, so that flows and schedulers work across
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "queue/bullmq/events.hpp"
#include "queue/bullmq/flow.hpp"
#include "queue/bullmq/job_scheduler.hpp"
#include "queue/bullmq/test_queue.hpp"
#include "queue/bullmq/worker.hpp"

namespace buildplan::queue::bullmq {
namespace {

std::string url_of(test_support::RedisCluster const& cluster) {
    std::string url = "redis-cluster://";
    for (auto const port : cluster.ports())
        url += (url.ends_with('/') ? "" : ",") + ("127.0.0.1:" + std::to_string(port));
    return url;
}

task<Result> sum(Run& run) {
    int total = 1;
    auto const values = co_await run.children_values();
    for (auto const& [key, value] : values) total += std::stoi(value);
    co_return Completed{std::to_string(total)};
}

task<> flow_in(Loop& loop, redis::Client& client, OrganizationId organization) {
    QueueKeys const agents(organization, queues::agent_jobs), mails(organization, queues::email);
    FlowJob flow{.queue = agents, .job = {.name = "parent"}};
    for (int i = 0; i < 3; ++i) flow.children.push_back({.queue = mails, .job = {.name = "child"}});
    auto const added = co_await add_flow(client, std::move(flow));
    Worker one(loop, client, agents, sum), two(loop, client, mails, sum);
    one.start();
    two.start();
    Queue const queue(client, agents);
    auto const outcome = co_await wait_until_finished(queue, added.id, 10s);
    EXPECT_EQ(outcome.state, State::completed);
    EXPECT_EQ(outcome.value, "4");
    auto const next = co_await upsert_scheduler(queue, {}, "s", {.every = 1h}, {.name = "tick"});
    EXPECT_TRUE(next.has_value());
    co_await one.stop(1s);
    co_await two.stop(1s);
}

task<std::size_t> keys_on(redis::Client& node, std::string pattern) {
    auto const keys = co_await node.command("KEYS", pattern);
    co_return keys.size();
}

task<> one_slot(Loop& loop, test_support::RedisCluster& cluster) {
    auto const client = co_await redis::connect(loop, url_of(cluster));
    std::vector<OrganizationId> organizations;
    for (int i = 0; i < 6; ++i) organizations.push_back(OrganizationId::make());
    for (auto const& organization : organizations) co_await flow_in(loop, *client, organization);

    std::set<std::size_t> used;
    for (auto const& organization : organizations) {
        std::size_t holders = 0;
        for (std::size_t i = 0; i < cluster.nodes.size(); ++i) {
            auto const node = co_await redis::connect(loop, cluster.nodes[i]->url());
            auto const count = co_await keys_on(*node, prefix_of(organization) + "*");
            if (count > 0) {
                ++holders;
                used.insert(i);
                EXPECT_GT(count, 8U) << "all of it";
            }
            co_await node->close();
        }
        EXPECT_EQ(holders, 1U);
    }
    EXPECT_GT(used.size(), 1U) << "organizations are spread over the cluster";
    co_await client->close();
}

TEST(Cluster, AnOrganizationIsInOneSlotAndOrganizationsAreSpread) {
    auto cluster = test_support::start_redis_cluster(3, 0);
    run([&](Loop& loop) { return one_slot(loop, cluster); });
}

}  // namespace
}  // namespace buildplan::queue::bullmq
