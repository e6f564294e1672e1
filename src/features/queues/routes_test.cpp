// The queues as an operator sees and steers them, on a real PostgreSQL and Redis.
#include "features/queues/routes.hpp"

#include <gtest/gtest.h>

#include "features/queues/gauges.hpp"
#include "features/queues/service.hpp"
#include "features/test_product.hpp"
#include "queue/bullmq/queue.hpp"
#include "queue/outbox/bullmq_sink.hpp"
#include "queue/outbox/relay.hpp"

namespace buildplan::features::testing {
namespace {

using api::testing::superuser;
using queue::jobs::EntryId;

class AdminQueues : public ::testing::Test {
protected:
    AdminQueues() {
        superuser().execute("DELETE FROM outbox; DELETE FROM queue_pauses");
        (void)test_support::redis().ask("FLUSHALL");
        superuser().query("UPDATE api_keys SET installation = true WHERE organization_id = $1::uuid",
                          {operator_.id.to_string()});
    }
    static api::testing::ServerWishes wishes() {
        auto out = product_wishes();
        out.redis_url = test_support::redis().url();
        return out;
    }
    HttpAnswer ask(std::string_view method, std::string const& target) {
        return server.ask(method, "/v1/admin/queues" + target, operator_.json());
    }
    EntryId write(std::string_view topic) {
        auto const id = superuser().value(
            "INSERT INTO outbox (organization_id, topic, payload) VALUES ($1::uuid, $2, '{}') RETURNING id",
            {tenant.id.to_string(), std::string(topic)});
        return *EntryId::parse(*id);
    }
    EntryId write_dead(std::string_view queue, std::string_view error) {
        auto const id = superuser().value(
            "INSERT INTO outbox (organization_id, topic, payload, queue, job, relayed_at, failed_at, error, attempts) "
            "VALUES ($1::uuid, 'job.' || $2 || '.deliver', '{}', $2, 'deliver', now(), clock_timestamp(), $3, 3) "
            "RETURNING id",
            {tenant.id.to_string(), std::string(queue), std::string(error)});
        return *EntryId::parse(*id);
    }
    void relay() {
        server.run([](api::Shard& shard) -> task<> {
            static queue::jobs::Catalog const catalog({});
            queue::outbox::BullmqSink sink(*shard.redis);
            queue::outbox::Relay one(shard.loop, shard.system, sink, catalog);
            while (co_await one.relay_waiting() > 0) {
            }
        }(server.shard()));
    }
    std::string state(EntryId id) {
        return superuser()
            .value(
                "SELECT CASE WHEN failed_at IS NOT NULL THEN 'dead' WHEN relayed_at IS NULL THEN 'waiting' WHEN "
                "done_at IS NOT NULL THEN 'done' ELSE 'owed' END || round FROM outbox WHERE id = $1::uuid",
                {id.to_string()})
            .value_or("gone");
    }
    static boost::json::value const& queue_of(boost::json::value const& list, std::string_view name) {
        for (auto const& each : list.at("items").as_array()) {
            if (each.at("name").as_string() == name) return each;
        }
        throw std::runtime_error("no such queue in the list");
    }

    KeyHolder operator_, tenant;
    Product server{wishes()};
};

TEST_F(AdminQueues, ShowDepthAndLagByQueueAndTier) {
    superuser().query("INSERT INTO subscriptions (organization_id, tier) VALUES ($1::uuid, 'PRO')",
                      {tenant.id.to_string()});
    for (int i = 0; i < 5; ++i) write("job.webhook.deliver");
    write_dead("webhook", "no such host");
    write("job.email.send");
    relay();
    write("job.email.send");  // and one that was not given to the queue
    auto const answer = ask("GET", "");
    ASSERT_EQ(answer.status, 200) << answer.body;
    auto const list = answer.json();
    EXPECT_EQ(list.at("items").as_array().size(), 7u);
    EXPECT_EQ(list.at("waitingEvents").as_int64(), 1);
    auto const& webhook = queue_of(list, "webhook");
    EXPECT_EQ(webhook.at("owed").as_int64(), 5);
    EXPECT_EQ(webhook.at("dead").as_int64(), 1);
    EXPECT_EQ(webhook.at("depth").at("waiting").as_int64(), 5);
    EXPECT_GT(webhook.at("lagSeconds").as_double(), 0);
    auto const& tiers = webhook.at("tiers").as_array();
    ASSERT_EQ(tiers.size(), 3u);
    EXPECT_EQ(tiers[1].at("tier").as_string(), "PRO");
    EXPECT_EQ(tiers[1].at("owed").as_int64(), 5);
    EXPECT_EQ(tiers[0].at("owed").as_int64(), 0);
    auto const one = ask("GET", "/webhook");
    EXPECT_EQ(one.json().at("owed").as_int64(), 5);
    EXPECT_EQ(ask("GET", "/nothing").status, 404);
}

TEST_F(AdminQueues, AreMeasured) {
    write("job.webhook.deliver");
    relay();
    server.run([](api::Shard& shard) -> task<> {
        queues::Gauges gauges(shard.loop, shard.system, *shard.redis);
        co_await gauges.measure();
    }(server.shard()));
    auto const metrics = server.ask("GET", "/metrics").body;
    EXPECT_NE(metrics.find(R"(buildplan_queue_depth{queue="webhook",tier="FREE",state="waiting"} 1)"),
              std::string::npos)
        << metrics.substr(metrics.find("buildplan_queue_depth"), 600);
    EXPECT_NE(metrics.find(R"(buildplan_queue_lag_seconds{queue="webhook",tier="FREE"})"), std::string::npos);
}

TEST_F(AdminQueues, ListTheDeadPageByPage) {
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(write_dead("webhook", fmt::format("reason {}", i)).to_string());
    write_dead("email", "another queue's");
    auto const first = ask("GET", "/webhook/dead-jobs?limit=2");
    ASSERT_EQ(first.status, 200) << first.body;
    auto const page = first.json();
    ASSERT_EQ(page.at("items").as_array().size(), 2u);
    auto const& latest = page.at("items").as_array()[0];
    EXPECT_EQ(latest.at("id").as_string(), ids[2]);
    EXPECT_EQ(latest.at("error").as_string(), "reason 2");
    EXPECT_EQ(latest.at("organizationId").as_string(), tenant.id.to_string());
    auto const cursor = std::string(page.at("nextCursor").as_string());
    auto const second = ask("GET", "/webhook/dead-jobs?limit=2&cursor=" + cursor).json();
    ASSERT_EQ(second.at("items").as_array().size(), 1u);
    EXPECT_EQ(second.at("items").as_array()[0].at("id").as_string(), ids[0]);
    EXPECT_TRUE(second.at("nextCursor").is_null());
}

TEST_F(AdminQueues, BringADeadJobBackInAnotherRound) {
    auto const id = write_dead("webhook", "no such host");
    EXPECT_EQ(ask("POST", "/email/dead-jobs/" + id.to_string() + "/retry").status, 404) << "it is not of that queue";
    EXPECT_EQ(ask("POST", "/webhook/dead-jobs/" + id.to_string() + "/retry").status, 204);
    EXPECT_EQ(state(id), "waiting1");
    EXPECT_EQ(ask("POST", "/webhook/dead-jobs/" + id.to_string() + "/retry").status, 404) << "it is dead no more";
    relay();
    server.run([](api::Shard& shard, OrganizationId organization, std::string job) -> task<> {
        queue::bullmq::Queue queue(*shard.redis, {organization, "webhook"});
        EXPECT_EQ(co_await queue.state(job + ".1"), queue::bullmq::State::waiting);
    }(server.shard(), tenant.id, id.to_string()));
    EXPECT_EQ(tenant.value("SELECT action FROM audit_log WHERE organization_id = $1::uuid"), "job.retried");
    EXPECT_EQ(tenant.value("SELECT actor_kind FROM audit_log WHERE organization_id = $1::uuid"), "api_key");
}

TEST_F(AdminQueues, BringAllDeadJobsBack) {
    for (int i = 0; i < 30; ++i) write_dead("webhook", "no such host");
    auto const other = write_dead("email", "no such host");
    auto const answer = ask("POST", "/webhook/retry");
    EXPECT_EQ(answer.json().at("jobs").as_int64(), 30);
    EXPECT_EQ(tenant.value("SELECT count(*) FROM outbox WHERE organization_id = $1::uuid AND failed_at IS NULL"), "30");
    EXPECT_EQ(state(other), "dead0");
}

TEST_F(AdminQueues, ArePausedAndResumedAndSaySo) {
    EXPECT_EQ(ask("POST", "/webhook/pause").status, 204);
    EXPECT_EQ(ask("POST", "/webhook/pause").status, 204) << "twice is once";
    EXPECT_TRUE(ask("GET", "/webhook").json().at("paused").as_bool());
    EXPECT_FALSE(ask("GET", "/email").json().at("paused").as_bool());
    EXPECT_EQ(ask("POST", "/webhook/resume").status, 204);
    EXPECT_FALSE(ask("GET", "/webhook").json().at("paused").as_bool());
    EXPECT_EQ(ask("POST", "/nothing/pause").status, 404);
}

TEST_F(AdminQueues, AreDrainedOfWhatNobodyHasBegun) {
    auto const begun = write("job.webhook.deliver");
    relay();
    auto const take = [](api::Shard& shard, OrganizationId organization) -> task<> {
        queue::bullmq::QueueKeys const keys(organization, "webhook");
        queue::bullmq::Claim const claim{.token = "somebody", .limit = {}, .worker = {}};
        auto command = queue::bullmq::move_to_active_command(keys, claim, queue::bullmq::moment_now());
        auto reply = co_await shard.redis->command(std::move(command));
        EXPECT_TRUE(queue::bullmq::read_next(std::move(reply)).job.has_value());
    };
    server.run(take(server.shard(), tenant.id));
    std::vector<EntryId> waiting;
    for (int i = 0; i < 5; ++i) waiting.push_back(write("job.webhook.deliver"));
    auto const other = write("job.email.send");
    relay();
    auto const answer = ask("POST", "/webhook/drain");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.json().at("jobs").as_int64(), 5);
    EXPECT_EQ(state(begun), "owed0");
    EXPECT_EQ(state(other), "owed0");
    for (auto const& each : waiting) EXPECT_EQ(state(each), "dead0");
    EXPECT_EQ(ask("GET", "/webhook").json().at("depth").at("waiting").as_int64(), 0);
    EXPECT_EQ(ask("POST", "/webhook/retry").json().at("jobs").as_int64(), 5);
}

TEST_F(AdminQueues, ShowEventsThatNameNoQueue) {
    write("job.nowhere.deliver");
    relay();
    auto const dead = ask("GET", "/misdirected/dead-jobs").json();
    ASSERT_EQ(dead.at("items").as_array().size(), 1u);
    EXPECT_EQ(dead.at("items").as_array()[0].at("topic").as_string(), "job.nowhere.deliver");
}

TEST_F(AdminQueues, AreNotForAnOrganizationsStrongestKey) {
    auto const answer = server.ask("GET", "/v1/admin/queues", tenant.auth());
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.text("code"), "forbidden");
}

}  // namespace
}  // namespace buildplan::features::testing
