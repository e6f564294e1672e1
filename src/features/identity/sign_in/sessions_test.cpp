#include <gtest/gtest.h>

#include "features/identity/sign_in/test_account.hpp"

namespace buildplan::identity {
namespace {

using features::testing::Account;
using features::testing::HttpAnswer;
using features::testing::Product;

constexpr std::string_view json_type = "Content-Type: application/json\r\n";

class SessionsTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    static HttpAnswer refresh(std::string_view token) {
        return server->ask("POST", "/auth/refresh", json_type, fmt::format(R"({{"refreshToken":"{}"}})", token));
    }
    static HttpAnswer me(std::string_view token) {
        return server->ask("GET", "/auth/me", fmt::format("Authorization: Bearer {}\r\n", token));
    }
    // As if the last refresh had been some time ago.
    static void wait_out_the_grace(Account const& who) {
        static_cast<void>(
            who.value("UPDATE sessions SET rotated_at = rotated_at - interval '11 seconds' "
                      "WHERE user_id = $1::uuid RETURNING 1"));
    }
    static std::string revoked(Account const& who) {
        return who.value(
            "SELECT string_agg(coalesce(revoked_reason, '-'), ',') FROM sessions WHERE user_id = $1::uuid");
    }
    static inline std::unique_ptr<Product> server;
    Account us{*server};
};

TEST_F(SessionsTest, AreRefreshedWithATokenThatIsUsedOnce) {
    auto const answer = refresh(us.refresh_token);
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_NE(answer.text("refreshToken"), us.refresh_token);
    auto const here = me(answer.text("token"));
    ASSERT_EQ(here.status, 200);
    EXPECT_EQ(here.text("organizationId"), us.organization_id);
    EXPECT_EQ(refresh(answer.text("refreshToken")).status, 200);
    EXPECT_EQ(revoked(us), "-");
}

TEST_F(SessionsTest, GiveTheSameSuccessorToWhoeverLostTheAnswer) {
    auto const first = refresh(us.refresh_token);
    auto const again = refresh(us.refresh_token);
    ASSERT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.text("refreshToken"), first.text("refreshToken"));
    EXPECT_EQ(refresh(again.text("refreshToken")).status, 200);
}

TEST_F(SessionsTest, SurviveManyRefreshesAtOnce) {
    std::deque<api::testing::HttpClient> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back(server->port());
        clients.back().send("POST", "/auth/refresh", json_type,
                            fmt::format(R"({{"refreshToken":"{}"}})", us.refresh_token));
    }
    std::set<std::string> successors;
    for (auto& client : clients) {
        auto const answer = client.receive();
        EXPECT_EQ(answer.status, 200) << answer.body;
        if (answer.status == 200) successors.insert(answer.text("refreshToken"));
    }
    EXPECT_EQ(successors.size(), 1u);
    EXPECT_EQ(revoked(us), "-");
}

TEST_F(SessionsTest, EndWhenAnOldTokenComesBack) {
    auto const next = refresh(us.refresh_token);
    wait_out_the_grace(us);
    EXPECT_EQ(me(next.text("token")).status, 200);
    auto const reused = refresh(us.refresh_token);
    EXPECT_EQ(reused.status, 401);
    EXPECT_EQ(reused.text("code"), "invalid-refresh-token");
    EXPECT_EQ(revoked(us), "refresh token reused");
    // Neither of the two who have it goes on.
    EXPECT_EQ(refresh(next.text("refreshToken")).status, 401);
    EXPECT_EQ(me(next.text("token")).status, 401);
    EXPECT_EQ(
        us.value("SELECT count(*) FROM audit_log WHERE action = 'session.reuse_detected' AND actor_id = $1::uuid"),
        "1");
}

TEST_F(SessionsTest, EndForAnOldTokenHoweverOldItIs) {
    auto token = us.refresh_token;
    for (int i = 0; i < 4; ++i) token = refresh(token).text("refreshToken");
    EXPECT_EQ(refresh(us.refresh_token).status, 401);
    EXPECT_EQ(revoked(us), "refresh token reused");
}

TEST_F(SessionsTest, DoNotEndForATokenThatSomebodyMadeUp) {
    auto const session = us.value("SELECT id FROM sessions WHERE user_id = $1::uuid");
    auto const made_up = RefreshTokens("not the secret").make(*SessionId::parse(session));
    EXPECT_EQ(refresh(made_up.text).status, 401);
    EXPECT_EQ(refresh("bp_ref_nothing").status, 401);
    EXPECT_EQ(refresh(us.token.substr(0, 200)).status, 401);
    EXPECT_EQ(revoked(us), "-");
    EXPECT_EQ(refresh(us.refresh_token).status, 200);
}

TEST_F(SessionsTest, EndByTime) {
    static_cast<void>(
        us.value("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1::uuid RETURNING 1"));
    EXPECT_EQ(refresh(us.refresh_token).status, 401);
}

TEST_F(SessionsTest, LastNoLongerThanHalfAYearHoweverOftenTheyAreRefreshed) {
    static_cast<void>(
        us.value("UPDATE sessions SET created_at = now() - interval '170 days' WHERE user_id = $1::uuid RETURNING 1"));
    EXPECT_EQ(refresh(us.refresh_token).status, 200);
    EXPECT_EQ(us.value("SELECT expires_at = created_at + interval '180 days' FROM sessions WHERE user_id = $1::uuid"),
              "t");
}

TEST_F(SessionsTest, EndByLogout) {
    EXPECT_EQ(us.post("/auth/logout").status, 204);
    EXPECT_EQ(us.get("/auth/me").status, 401);
    EXPECT_EQ(refresh(us.refresh_token).status, 401);
    EXPECT_EQ(revoked(us), "logout");
    EXPECT_EQ(us.log_in().status, 200);
}

TEST_F(SessionsTest, AllEndByLogoutEverywhere) {
    auto const elsewhere = us.log_in();
    EXPECT_EQ(us.post("/auth/logout-everywhere").status, 204);
    EXPECT_EQ(us.get("/auth/me").status, 401);
    EXPECT_EQ(me(elsewhere.text("token")).status, 401);
    EXPECT_EQ(refresh(elsewhere.text("refreshToken")).status, 401);
}

TEST_F(SessionsTest, AreListedAndEndedOneByOne) {
    auto const elsewhere = server->ask("POST", "/auth/login", std::string(json_type) + "User-Agent: Curl\xff\r\n",
                                       fmt::format(R"({{"email":"{}","password":"{}"}})", us.email, us.password));
    auto const listed = us.get("/v1/sessions");
    ASSERT_EQ(listed.status, 200) << listed.body;
    auto const items = listed.json().at("items").as_array();
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].at("current").as_bool(), false);
    EXPECT_EQ(items[0].at("userAgent").as_string(), "Curl");
    EXPECT_EQ(items[0].at("address").as_string(), "127.0.0.1");
    EXPECT_EQ(items[1].at("current").as_bool(), true);
    EXPECT_EQ(listed.body.find("hash"), std::string::npos);

    auto const first_page = us.get("/v1/sessions?limit=1");
    auto const cursor = first_page.text("nextCursor");
    EXPECT_EQ(us.get("/v1/sessions?limit=1&cursor=" + cursor).json().at("items").at(0), items[1]);

    std::string const id{items[0].at("id").as_string()};
    EXPECT_EQ(server->ask("DELETE", "/v1/sessions/" + id, us.auth()).status, 204);
    EXPECT_EQ(me(elsewhere.text("token")).status, 401);
    EXPECT_EQ(us.get("/auth/me").status, 200);
    EXPECT_EQ(server->ask("DELETE", "/v1/sessions/" + id, us.auth()).status, 404);
    EXPECT_EQ(us.get("/v1/sessions").json().at("items").as_array().size(), 1u);
}

TEST_F(SessionsTest, MakeRoomWhenSomebodyHasVeryMany) {
    static_cast<void>(
        us.value("INSERT INTO sessions (user_id, refresh_hash, created_at, last_used_at, expires_at) "
                 "SELECT $1::uuid, sha256(int8send(n)), now() - interval '1 hour', now() - n * interval '1 minute', "
                 "now() + interval '1 day' FROM generate_series(1, 110) AS n RETURNING 1"));
    EXPECT_EQ(us.log_in().status, 200);
    EXPECT_EQ(us.value("SELECT count(*) FROM sessions WHERE user_id = $1::uuid AND revoked_at IS NULL"), "100");
    EXPECT_EQ(us.get("/auth/me").status, 200) << "one that was used just now went";
}

TEST_F(SessionsTest, OfOthersAreNotThere) {
    Account const them(*server);
    auto const ours = us.value("SELECT id FROM sessions WHERE user_id = $1::uuid");
    auto const answer = server->ask("DELETE", "/v1/sessions/" + ours, them.auth());
    EXPECT_EQ(answer.status, 404);
    auto const nothing = server->ask("DELETE", "/v1/sessions/" + SessionId::make().to_string(), them.auth());
    EXPECT_EQ(nothing.text("detail"), answer.text("detail"));
    EXPECT_EQ(us.get("/auth/me").status, 200);
    EXPECT_EQ(them.get("/v1/sessions").body.find(ours), std::string::npos);
}

TEST_F(SessionsTest, AreNotAKeysBusiness) {
    features::testing::KeyHolder const keys;
    for (auto const* path : {"/auth/logout", "/auth/logout-everywhere", "/auth/resend-verification"}) {
        auto const answer = server->ask("POST", path, keys.json(), "{}");
        EXPECT_EQ(answer.status, 403) << path;
        EXPECT_EQ(answer.text("code"), "session-required");
    }
    EXPECT_EQ(server->ask("GET", "/v1/sessions", keys.auth()).status, 403);
    EXPECT_EQ(server
                  ->ask("POST", "/auth/switch-org", keys.json(),
                        fmt::format(R"({{"organizationId":"{}"}})", us.organization_id))
                  .status,
              403);
    EXPECT_EQ(server->ask("GET", "/auth/me", keys.auth()).text("code"), "person-required");
}

TEST_F(SessionsTest, WorkInTheOrganizationThatWasChosen) {
    Account them{*server, "Theirs"};
    auto const before = us.post("/auth/switch-org", fmt::format(R"({{"organizationId":"{}"}})", them.organization_id));
    EXPECT_EQ(before.status, 404);
    us.join(them.organization_id, "VIEWER");
    auto const me_there = us.get("/auth/me");
    EXPECT_EQ(me_there.text("organizationId"), them.organization_id);
    EXPECT_EQ(me_there.text("role"), "VIEWER");
    EXPECT_EQ(me_there.json().at("organizations").as_array().size(), 2u);
    // Refreshing keeps to it.
    auto const refreshed = refresh(us.refresh_token);
    EXPECT_EQ(me(refreshed.text("token")).text("organizationId"), them.organization_id);
    auto const unknown =
        us.post("/auth/switch-org", fmt::format(R"({{"organizationId":"{}"}})", OrganizationId::make().to_string()));
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown.text("detail"), before.text("detail"));
    EXPECT_EQ(us.value("SELECT count(*) FROM audit_log WHERE action = 'session.entered' AND actor_id = $1::uuid"), "1");
}

TEST_F(SessionsTest, OfSomebodyInTwoOrganizationsBeginInNone) {
    Account const them{*server, "Theirs"};
    us.join(them.organization_id, "MEMBER");
    auto const answer = us.log_in();
    EXPECT_EQ(answer.json().at("organizations").as_array().size(), 2u);
    auto const here = me(answer.text("token"));
    ASSERT_EQ(here.status, 200) << here.body;
    EXPECT_TRUE(here.json().at("organizationId").is_null());
    EXPECT_TRUE(here.json().at("permissions").as_array().empty());
    auto const refused =
        server->ask("GET", "/v1/workspaces", fmt::format("Authorization: Bearer {}\r\n", answer.text("token")));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.text("code"), "organization-required");
}

TEST_F(SessionsTest, DoNotSurviveARemovedMembership) {
    Account const them{*server, "Theirs"};
    us.join(them.organization_id, "MEMBER");
    api::testing::superuser().query(
        "DELETE FROM organization_members WHERE organization_id = $1::uuid AND user_id = $2::uuid",
        {them.organization_id, us.user_id});
    // The session goes on, in no organization.
    auto const refreshed = refresh(us.refresh_token);
    ASSERT_EQ(refreshed.status, 200);
    EXPECT_TRUE(me(refreshed.text("token")).json().at("organizationId").is_null());
}

}  // namespace
}  // namespace buildplan::identity
