#include "features/identity/verified_principals.hpp"

#include <gtest/gtest.h>

#include "tests/support/principal.hpp"

namespace buildplan::identity {
namespace {

using namespace std::chrono_literals;
using Clock = VerifiedPrincipals::Clock;

class VerifiedPrincipalsTest : public ::testing::Test {
protected:
    static std::shared_ptr<Principal const> person(OrganizationId organization, UserId user, SessionId session) {
        return std::make_shared<Principal const>(
            buildplan::testing::PrincipalMaker::make(organization, user, {"*"}, {.session = session, .key = {}}));
    }
    bool has(std::string_view hash) { return kept.find(hash, now) != nullptr; }

    VerifiedPrincipals kept{3};
    Clock::time_point now = Clock::now();
    OrganizationId acme = OrganizationId::make(), globex = OrganizationId::make();
    UserId anna = UserId::make(), ben = UserId::make();
    SessionId first = SessionId::make(), second = SessionId::make(), third = SessionId::make();
};

TEST_F(VerifiedPrincipalsTest, AreForgottenWithWhatTheyStandOn) {
    auto const fill = [this] {
        kept.keep("a1", person(acme, anna, first), now + 1s);
        kept.keep("a2", person(globex, anna, second), now + 1s);
        kept.keep("b", person(acme, ben, third), now + 1s);
    };
    fill();
    kept.forget(first.value);
    EXPECT_FALSE(has("a1"));
    EXPECT_TRUE(has("a2") && has("b"));
    fill();
    kept.forget(anna.value);
    EXPECT_FALSE(has("a1") || has("a2"));
    EXPECT_TRUE(has("b"));
    fill();
    kept.forget(acme.value);
    EXPECT_FALSE(has("a1") || has("b"));
    EXPECT_TRUE(has("a2"));
    fill();
    kept.forget(OrganizationId::make().value);
    EXPECT_EQ(kept.size(), 3U);
    kept.forget_all();
    EXPECT_EQ(kept.size(), 0U);
}

TEST_F(VerifiedPrincipalsTest, StandOnAKey) {
    auto const key = ApiKeyId::make();
    kept.keep("k",
              std::make_shared<Principal const>(
                  buildplan::testing::PrincipalMaker::make(acme, std::nullopt, {"*"}, {.session = {}, .key = key})),
              now + 1s);
    kept.forget(key.value);
    EXPECT_EQ(kept.size(), 0U);
}

TEST_F(VerifiedPrincipalsTest, AreKeptUntilTheirTime) {
    kept.keep("a", person(acme, anna, first), now + 1s);
    EXPECT_TRUE(has("a"));
    now += 1s;
    EXPECT_FALSE(has("a"));
    EXPECT_EQ(kept.size(), 0U);
}

TEST_F(VerifiedPrincipalsTest, MakeRoomForOthersTheLongestUnusedFirst) {
    kept.keep("1", person(acme, anna, first), now + 1s);
    kept.keep("2", person(acme, anna, second), now + 1s);
    kept.keep("3", person(acme, anna, third), now + 1s);
    EXPECT_TRUE(has("1"));
    kept.keep("4", person(acme, ben, SessionId::make()), now + 1s);
    EXPECT_FALSE(has("2"));
    EXPECT_TRUE(has("1") && has("3") && has("4"));
    kept.keep("4", person(globex, ben, SessionId::make()), now + 1s);
    EXPECT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept.find("4", now)->organization(), globex);
    kept.forget(acme.value);
    EXPECT_EQ(kept.size(), 1U);
}

TEST_F(VerifiedPrincipalsTest, OfOneWithoutAnOrganizationStandOnThePersonOnce) {
    kept.keep("a", person(OrganizationId{anna.value}, anna, first), now + 1s);
    kept.forget(anna.value);
    EXPECT_EQ(kept.size(), 0U);
}

}  // namespace
}  // namespace buildplan::identity
