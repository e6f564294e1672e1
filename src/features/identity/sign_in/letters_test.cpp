#include "features/identity/sign_in/letters.hpp"

#include <gtest/gtest.h>

#include "features/identity/sign_in/sweep.hpp"
#include "features/identity/sign_in/test_account.hpp"

namespace buildplan::identity {
namespace {

using features::testing::Account;
using features::testing::Product;

class LettersTest : public ::testing::Test {
protected:
    // Those to one address.
    std::vector<WaitingLetter> take(std::string const& to) {
        std::vector<WaitingLetter> taken;
        server.run([](postgres::SystemPool& system, std::vector<WaitingLetter>& all) -> task<> {
            for (;;) {
                auto letters = co_await take_letters(system);
                if (letters.empty()) co_return;
                for (auto& letter : letters) all.push_back(std::move(letter));
            }
        }(server.shard().system, taken));
        std::erase_if(taken, [&](WaitingLetter const& letter) { return letter.to != to; });
        return taken;
    }
    Product server;
    Account us{server};
};

TEST_F(LettersTest, AreGivenOutOnceAndLeaveNoTokenBehind) {
    auto const token = us.mailed_token("mail.verify_email");
    auto const taken = take(us.email);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].topic, "mail.verify_email");
    EXPECT_EQ(taken[0].token, token);
    EXPECT_TRUE(take(us.email).empty());
    EXPECT_EQ(us.mailed_token("mail.verify_email"), "");
    EXPECT_EQ(us.value("SELECT relayed_at IS NOT NULL FROM outbox WHERE organization_id = $1::uuid"), "t");
}

TEST_F(LettersTest, AreAllThatMayBeTakenFromTheOutbox) {
    take(us.email);
    EXPECT_EQ(us.value("SELECT count(*) FROM outbox o JOIN organization_members m USING (organization_id) "
                       "WHERE m.user_id = $1::uuid AND o.topic = 'user.registered' AND o.relayed_at IS NULL"),
              "1");
}

TEST_F(LettersTest, AndSessionsAreSweptWhenTheirTimeIsLongOver) {
    Account const lasting(server);
    static_cast<void>(
        us.value("WITH s AS (UPDATE sessions SET expires_at = now() - interval '31 days' "
                 "WHERE user_id = $1::uuid) UPDATE user_tokens SET expires_at = now() - interval '2 days' "
                 "WHERE user_id = $1::uuid RETURNING 1"));
    server.run([](postgres::SystemPool& system) -> task<> {
        EXPECT_GE(co_await sweep_sign_ins(system), 2u);
        EXPECT_EQ(co_await sweep_sign_ins(system), 0u);
    }(server.shard().system));
    EXPECT_EQ(us.value("SELECT count(*) FROM sessions WHERE user_id = $1::uuid"), "0");
    EXPECT_EQ(us.value("SELECT count(*) FROM user_tokens WHERE user_id = $1::uuid"), "0");
    EXPECT_EQ(lasting.get("/auth/me").status, 200);
}

}  // namespace
}  // namespace buildplan::identity
