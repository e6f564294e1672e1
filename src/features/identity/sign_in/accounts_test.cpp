#include <gtest/gtest.h>

#include "features/identity/sign_in/test_account.hpp"

namespace buildplan::identity {
namespace {

using features::testing::Account;
using features::testing::HttpAnswer;
using features::testing::Product;
using features::testing::unused_email;

constexpr std::string_view json_type = "Content-Type: application/json\r\n";
constexpr std::string_view reset_letter = "mail.reset_password", verify_letter = "mail.verify_email";

class AccountsTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    static HttpAnswer post(std::string_view path, std::string const& body) {
        return server->ask("POST", path, json_type, body);
    }
    static HttpAnswer reset(std::string_view token, std::string_view password) {
        return post("/auth/reset-password", fmt::format(R"({{"token":"{}","newPassword":"{}"}})", token, password));
    }
    HttpAnswer change(std::string_view current, std::string_view wanted) const {
        return us.post("/auth/change-password",
                       fmt::format(R"({{"currentPassword":"{}","newPassword":"{}"}})", current, wanted));
    }
    // The letter is written after the answer.
    std::string forgotten() const {
        EXPECT_EQ(post("/auth/forgot-password", fmt::format(R"({{"email":"{}"}})", us.email)).status, 202);
        auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        auto token = us.mailed_token(reset_letter);
        while (token.empty() && std::chrono::steady_clock::now() < last) token = us.mailed_token(reset_letter);
        return token;
    }
    std::string actions() const {
        return us.value("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE actor_id = $1::uuid");
    }
    static inline std::unique_ptr<Product> server;
    Account us{*server};
};

TEST_F(AccountsTest, ANewPasswordNeedsTheOldOneAndEndsTheOtherSessions) {
    auto const elsewhere = us.log_in();
    EXPECT_EQ(change("not the password", "a short and loud morning").status, 403);
    EXPECT_EQ(change(us.password, "password1").status, 422);
    EXPECT_EQ(change(us.password, "a short and loud morning").status, 204);
    EXPECT_EQ(us.get("/auth/me").status, 200);
    EXPECT_EQ(server->ask("GET", "/auth/me", "Authorization: Bearer " + elsewhere.text("token") + "\r\n").status, 401);
    EXPECT_EQ(us.log_in().status, 401);
    us.password = "a short and loud morning";
    EXPECT_EQ(us.log_in().status, 200);
    EXPECT_EQ(us.value("SELECT count(*) FROM outbox WHERE organization_id = $1::uuid AND topic = "
                       "'mail.password_changed'"),
              "1");
    EXPECT_NE(actions().find("user.password_changed"), std::string::npos) << actions();
}

TEST_F(AccountsTest, AForgottenPasswordIsSetAnewWithTheMailedTokenOnce) {
    auto const token = forgotten();
    ASSERT_FALSE(token.empty());
    EXPECT_EQ(us.value("SELECT count(*) FROM user_tokens WHERE user_id = $1::uuid AND purpose = 'reset_password' "
                       "AND expires_at <= now() + interval '1 hour'"),
              "1");
    EXPECT_EQ(reset(token, "password1").status, 422);
    EXPECT_EQ(reset(token, "a short and loud morning").status, 204);
    EXPECT_EQ(us.get("/auth/me").status, 401) << "its sessions go on";
    us.password = "a short and loud morning";
    EXPECT_EQ(us.log_in().status, 200);
    auto const again = reset(token, "a third one, quite long");
    EXPECT_EQ(again.status, 400);
    EXPECT_EQ(again.text("code"), "invalid-token");
    EXPECT_EQ(us.value("SELECT email_verified FROM users WHERE id = $1::uuid"), "t");
    EXPECT_NE(actions().find("user.password_forgotten user.password_reset"), std::string::npos) << actions();
}

TEST_F(AccountsTest, OnlyTheLastLetterHoldsAndOnlyForItsTimeAndPurpose) {
    auto const first = forgotten();
    EXPECT_EQ(post("/auth/forgot-password", fmt::format(R"({{"email":"{}"}})", us.email)).status, 202);
    while (us.mailed_token(reset_letter) == first) std::this_thread::yield();
    auto const second = us.mailed_token(reset_letter);
    EXPECT_EQ(reset(first, "a short and loud morning").status, 400);
    EXPECT_EQ(post("/auth/verify-email", fmt::format(R"({{"token":"{}"}})", second)).status, 400);
    static_cast<void>(us.value("UPDATE user_tokens SET expires_at = now() WHERE user_id = $1::uuid RETURNING 1"));
    EXPECT_EQ(reset(second, "a short and loud morning").status, 400);
    EXPECT_EQ(reset("nothing", "a short and loud morning").status, 400);
}

TEST_F(AccountsTest, ForgettingAnswersAlikeForAnUnknownAddress) {
    auto const known = post("/auth/forgot-password", fmt::format(R"({{"email":"{}"}})", us.email));
    auto const unknown = post("/auth/forgot-password", fmt::format(R"({{"email":"{}"}})", unused_email()));
    EXPECT_EQ(known.status, 202);
    EXPECT_EQ(unknown.status, known.status);
    EXPECT_EQ(unknown.body, known.body);
    auto const names = [](HttpAnswer const& answer) {
        std::vector<std::string> all;
        for (auto const& [name, value] : answer.headers) all.push_back(name);
        return all;
    };
    EXPECT_EQ(names(unknown), names(known));
}

TEST_F(AccountsTest, AnAddressIsVerifiedWithTheMailedTokenOnce) {
    auto const token = us.mailed_token(verify_letter);
    auto const body = fmt::format(R"({{"token":"{}"}})", token);
    EXPECT_EQ(post("/auth/verify-email", body).status, 204);
    EXPECT_EQ(us.get("/auth/me").json().at("user").at("emailVerified").as_bool(), true);
    EXPECT_EQ(post("/auth/verify-email", body).status, 400);
    auto const again = us.post("/auth/resend-verification");
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again.text("code"), "already-verified");
    EXPECT_NE(actions().find("user.email_verified"), std::string::npos) << actions();
}

TEST_F(AccountsTest, TheVerificationIsSentAgainWithAnotherToken) {
    auto const first = us.mailed_token(verify_letter);
    EXPECT_EQ(us.post("/auth/resend-verification").status, 202);
    auto const second = us.mailed_token(verify_letter);
    EXPECT_NE(second, first);
    EXPECT_EQ(post("/auth/verify-email", fmt::format(R"({{"token":"{}"}})", first)).status, 400);
    EXPECT_EQ(post("/auth/verify-email", fmt::format(R"({{"token":"{}"}})", second)).status, 204);
}

TEST_F(AccountsTest, TokensAreKeptAsHashes) {
    auto const token = us.mailed_token(verify_letter);
    EXPECT_EQ(
        us.value("SELECT count(*) FROM user_tokens t JOIN outbox o ON o.organization_id = t.user_id "
                 "WHERE t.user_id = $1::uuid AND t.token_hash = sha256(convert_to(o.payload ->> 'token', 'UTF8'))"),
        "1");
    EXPECT_GE(token.size(), 43u);
}

TEST_F(AccountsTest, MailsToOneMailboxAreBounded) {
    Product limited(features::testing::product_wishes(), true);
    Account const owner(limited);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(owner.post("/auth/resend-verification").status, 202);
    auto const refused = owner.post("/auth/resend-verification");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.text("code"), "too-many-attempts");
}

TEST_F(AccountsTest, AHashOfOldIsMadeAnewAtTheNextSignIn) {
    // Of "a long and quiet afternoon", with one pass more.
    auto const old =
        "$argon2id$v=19$m=19456,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$G0EfzsoHIhJuPeTDDYdjMqAWik5t2QVyW2L+zum4RT4";
    static_cast<void>(
        us.value(fmt::format("UPDATE users SET password_hash = '{}' WHERE id = $1::uuid RETURNING 1", old)));
    EXPECT_EQ(us.log_in().status, 200);
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    auto const hash = [&] { return us.value("SELECT password_hash FROM users WHERE id = $1::uuid"); };
    while (hash() == old) ASSERT_LT(std::chrono::steady_clock::now(), last);
    EXPECT_TRUE(hash().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    EXPECT_EQ(us.log_in().status, 200);
}

}  // namespace
}  // namespace buildplan::identity
