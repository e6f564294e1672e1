#include "features/billing/tiers.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "core/problem.hpp"
#include "features/billing/service.hpp"
#include "features/route_table.hpp"

namespace buildplan::billing {
namespace {

TEST(Tiers, HaveTheContractsLimits) {
    EXPECT_EQ(limits_of(Tier::free), (Limits{.requests = 100, .agents = 10, .api = 1000}));
    EXPECT_EQ(limits_of(Tier::pro), (Limits{.requests = 1000, .agents = 50, .api = 10000}));
    EXPECT_EQ(limits_of(Tier::enterprise), (Limits{.requests = -1, .agents = 200, .api = 100000}));
}

TEST(Tiers, GiveWayToWhatWasAgreed) {
    EXPECT_EQ(limits_of(Tier::free, {.requests = {}, .agents = 11, .api = {}}),
              (Limits{.requests = 100, .agents = 11, .api = 1000}));
    EXPECT_EQ(limits_of(Tier::enterprise, {.requests = 5, .agents = {}, .api = -1}),
              (Limits{.requests = 5, .agents = 200, .api = -1}));
    EXPECT_EQ(limits_of(Tier::pro, {.requests = 0, .agents = 0, .api = 0}), (Limits{}));
}

TEST(Tiers, HoldOnlyWhileTheyArePaidFor) {
    CustomLimits const custom{.requests = {}, .agents = {}, .api = 5};
    for (auto const status : {Status::active, Status::trialing, Status::past_due})
        EXPECT_EQ(limits_of(Tier::pro, status, custom).api, 5);
    for (auto const status :
         {Status::canceled, Status::unpaid, Status::incomplete, Status::incomplete_expired, Status::paused})
        EXPECT_EQ(limits_of(Tier::pro, status, custom), limits_of(Tier::free)) << to_string(status);
}

TEST(Tiers, HaveNames) {
    for (auto const& row : tiers) EXPECT_EQ(parse_tier(to_string(row.tier)), row.tier);
    EXPECT_EQ(parse_tier("free"), std::nullopt);
    for (auto const name : statuses) EXPECT_EQ(to_string(*parse_status(name)), name);
    EXPECT_EQ(json::encode(std::vector{Tier::enterprise}), R"(["ENTERPRISE"])");
    EXPECT_EQ(json::encode(std::vector{Status::past_due}), R"(["past_due"])");
}

TEST(Tiers, KnowTheLimitsThatRoutesName) {
    auto const limits = limits_of(Tier::free);
    EXPECT_EQ(limit_named(limits, "api"), 1000);
    EXPECT_EQ(limit_named(limits, "requests"), 100);
    EXPECT_EQ(limit_named(limits, "request"), std::nullopt);
}

TEST(RouteTable, CountsOnlyAsWhatThereIsALimitFor) {
    for (auto const& table : features::route_tables()) {
        for (auto const& route : table) {
            if (route.counted_as.empty()) continue;
            EXPECT_TRUE(limit_named(limits_of(Tier::free), route.counted_as)) << route.path << ' ' << route.counted_as;
        }
    }
}

TEST(CustomLimits, ThatDoNotFitAreNone) {
    EXPECT_EQ(read_custom_limits(R"({"api":7})"), (CustomLimits{.requests = {}, .agents = {}, .api = 7}));
    EXPECT_EQ(read_custom_limits("{}"), CustomLimits{});
    for (auto const* const bad :
         {"", "[]", R"({"api":-2})", R"({"api":"7"})", R"({"apis":7})", R"({"api":2000000000})"})
        EXPECT_EQ(read_custom_limits(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace buildplan::billing
