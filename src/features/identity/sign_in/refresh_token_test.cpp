#include "features/identity/sign_in/refresh_token.hpp"

#include <gtest/gtest.h>

#include <set>

namespace buildplan::identity {
namespace {

TEST(RefreshTokensTest, SayWhichSessionTheyBelongTo) {
    RefreshTokens const tokens("secret");
    auto const session = SessionId::make();
    auto const token = tokens.make(session);
    EXPECT_TRUE(token.text.starts_with("bp_ref_"));
    auto const parsed = RefreshTokens::parse(token.text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->session, session);
    EXPECT_EQ(parsed->hash(), token.hash());
    EXPECT_EQ(token.hash().size(), 32u);
}

TEST(RefreshTokensTest, HaveOneSuccessorEach) {
    RefreshTokens const tokens("secret");
    std::set<std::string> seen;
    auto token = tokens.make(SessionId::make());
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(seen.insert(token.text).second);
        EXPECT_TRUE(tokens.is_ours(token));
        auto const next = tokens.successor(token);
        EXPECT_EQ(next.text, tokens.successor(token).text);
        EXPECT_EQ(next.session, token.session);
        token = next;
    }
}

TEST(RefreshTokensTest, CannotBeMadeUpOrContinuedWithoutTheSecret) {
    RefreshTokens const ours("secret"), theirs("another secret");
    auto const session = SessionId::make();
    auto const made_up = theirs.make(session);
    EXPECT_FALSE(ours.is_ours(made_up));
    auto const token = ours.make(session);
    EXPECT_NE(ours.successor(token).text, theirs.successor(token).text);
    for (std::size_t i = 7; i < token.text.size(); ++i) {
        auto changed = token.text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        auto const parsed = RefreshTokens::parse(changed);
        EXPECT_TRUE(!parsed || !ours.is_ours(*parsed)) << i;
    }
}

TEST(RefreshTokensTest, AreNotMistaken) {
    RefreshTokens const tokens("secret");
    auto const text = tokens.make(SessionId::make()).text;
    for (auto const& bad : {std::string{}, std::string("bp_ref_"), text + "A", text.substr(1),
                            "bp_pat_" + text.substr(7), text.substr(0, text.size() - 1) + "=", std::string(93, '!')}) {
        EXPECT_FALSE(RefreshTokens::parse(bad)) << bad;
    }
}

}  // namespace
}  // namespace buildplan::identity
