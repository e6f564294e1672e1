#include "queue/bullmq/keys.hpp"

#include <gtest/gtest.h>

#include "queue/bullmq/scripts.hpp"
#include "redis/slots.hpp"

namespace buildplan::queue::bullmq {
namespace {

OrganizationId organization() { return *OrganizationId::parse("0193a5c0-0000-7000-8000-000000000001"); }

TEST(QueueKeys, AreNamedAsBullmqNamesThem) {
    QueueKeys const keys(organization(), queues::agent_jobs);
    std::string const base = "buildplan:{0193a5c0-0000-7000-8000-000000000001}:agent-jobs:";
    EXPECT_EQ(keys[QueueKeys::base], base);
    EXPECT_EQ(keys[QueueKeys::wait], base + "wait");
    EXPECT_EQ(keys[QueueKeys::waiting_children], base + "waiting-children");
    EXPECT_EQ(keys[QueueKeys::marker], base + "marker");
    EXPECT_EQ(keys[QueueKeys::failed_metrics], base + "metrics:failed");
    EXPECT_EQ(keys.job("17"), base + "17");
    EXPECT_EQ(keys.job("17", "logs"), base + "17:logs");
    EXPECT_EQ(keys.deduplication("d"), base + "de:d");
    EXPECT_EQ(keys.prefix(), "buildplan:{0193a5c0-0000-7000-8000-000000000001}");
    EXPECT_EQ(keys.queue(), "agent-jobs");
    EXPECT_EQ(std::string(keys.qualified_name()) + ":", base);
}

TEST(QueueKeys, AllOfAnOrganizationAreInOneSlot) {
    auto const slot = redis::slot_of(QueueKeys(organization(), queues::email)[QueueKeys::wait]);
    for (auto const queue : queues::all) {
        QueueKeys const keys(organization(), queue);
        for (int type = 0; type < QueueKeys::types; ++type)
            EXPECT_EQ(redis::slot_of(keys[static_cast<QueueKeys::Type>(type)]), slot);
        EXPECT_EQ(redis::slot_of(keys.job("{other}", "logs")), slot) << "the first braces count";
    }
}

TEST(QueueKeys, ANameIsNotEmptyAndHasNoColon) {
    EXPECT_THROW(QueueKeys("p", ""), std::invalid_argument);
    EXPECT_THROW(QueueKeys("p", "a:b"), std::invalid_argument);
}

TEST(JobKey, IsTakenApartWhateverItsPrefixAndIdHold) {
    QueueKeys const keys("p:{x}", "q");
    auto const of = [&](std::string_view key) {
        auto const parts = parse_job_key(key, keys);
        return std::string(parts.qualified_name) + " " + std::string(parts.id);
    };
    EXPECT_EQ(of("p:{x}:q:17"), "p:{x}:q 17");
    EXPECT_EQ(of("p:{x}:other:repeat:daily:17"), "p:{x}:other repeat:daily:17");
    EXPECT_EQ(of("bull:q:17"), "bull:q 17");
    EXPECT_EQ(of("17"), " 17");
}

TEST(Scripts, AreThoseOfTheVersionThatWasAskedFor) {
    EXPECT_EQ(bullmq_version(), "6.7.0");
    EXPECT_TRUE(bullmq_license().contains("MIT"));
    EXPECT_TRUE(find_script("addStandardJob", 9).source().contains("Stores the job") ||
                find_script("addStandardJob", 9).source().contains("HMSET"));
    EXPECT_FALSE(find_script("addStandardJob", 9).source().contains("@include"));
}

TEST(Scripts, OneWithAnotherNumberOfKeysIsNotFound) {
    EXPECT_THROW(find_script("addStandardJob", 8), std::logic_error);
}

}  // namespace
}  // namespace buildplan::queue::bullmq
