#include "features/identity/api_keys/routes.hpp"

#include <gtest/gtest.h>

#include <set>

#include "features/identity/api_keys/service.hpp"
#include "features/test_people.hpp"

namespace buildplan::identity {
namespace {

using features::testing::HttpAnswer;
using features::testing::KeyHolder;
using features::testing::Person;
using features::testing::Product;

using Strings = std::vector<std::string>;

TEST(SharedPermissions, AreWhatBothHold) {
    EXPECT_EQ(shared_permissions({"*"}, {"requests.*", "plans.read"}), (Strings{"requests.*", "plans.read"}));
    EXPECT_EQ(shared_permissions({"requests.read", "plans.*", "agents.*"}, {"requests.*", "plans.read"}),
              (Strings{"requests.read", "plans.read"}));
    EXPECT_EQ(shared_permissions({"requests.read"}, {"*"}), Strings{"requests.read"});
    EXPECT_EQ(shared_permissions({"*"}, {"*"}), Strings{"*"});
    EXPECT_EQ(shared_permissions({}, {"*"}), Strings{});
    EXPECT_EQ(shared_permissions({"requests"}, {"requests.*"}), Strings{});
    EXPECT_EQ(shared_permissions({"org.*"}, {"org.settings.*", "org.read"}), (Strings{"org.settings.*", "org.read"}));
}

TEST(Scopes, ArePermissionsThatThereAre) {
    std::string_view const known[] = {"org.delete"};
    for (auto const* const good : {"*", "requests.*", "requests.read", "org.settings.update", "org.*", "org.delete"})
        EXPECT_TRUE(is_permission(good, known)) << good;
    for (auto const* const bad :
         {"", ".", "*.*", ".*", "**", "request.read", "requests", "requests.", "requests..read", "Requests.read",
          "requests.read ", "requests.*.*", "org.destroy", "requests.1", "requests.read\n"}) {
        EXPECT_FALSE(is_permission(bad, known)) << bad;
    }
    EXPECT_FALSE(is_permission("org.delete", {}));
}

class ApiKeysTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    HttpAnswer create(std::string const& headers, std::string_view body) const {
        return server->ask("POST", "/v1/api-keys", headers, body);
    }
    HttpAnswer create(Person const& who, std::string_view body) const {
        return create(who.json(*server, organization.id), body);
    }
    std::string id_of(HttpAnswer const& made) const {
        EXPECT_EQ(made.status, 201) << made.body;
        return std::string(made.json().at("apiKey").at("id").as_string());
    }
    static std::string bearer(HttpAnswer const& made) { return "Authorization: Bearer " + made.text("key") + "\r\n"; }
    int status(std::string const& headers, std::string_view method = "GET", std::string_view body = {}) const {
        return server->ask(method, "/v1/workspaces", headers, body).status;
    }
    std::set<std::string> names(std::string const& auth, std::string const& query = "") const {
        std::set<std::string> all;
        auto const answer = server->ask("GET", "/v1/api-keys" + query, auth);
        EXPECT_EQ(answer.status, 200) << answer.body;
        for (auto const& item : answer.json().at("items").as_array()) all.emplace(item.at("name").as_string());
        return all;
    }

    static inline std::unique_ptr<Product> server;
    KeyHolder organization;
    Person admin{organization, "ADMIN"}, member{organization, "MEMBER"};
};

constexpr std::string_view of_a_service = R"({"kind":"service","name":"Robot","scopes":["workspaces.*"]})";
constexpr std::string_view of_mine = R"({"kind":"personal","name":"Mine","scopes":["workspaces.*"]})";

TEST_F(ApiKeysTest, OfAServiceOpensItsScopesAndNoMore) {
    auto const made = create(admin, of_a_service);
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.header("Location"), "/v1/api-keys/" + id_of(made));
    EXPECT_EQ(status(bearer(made)), 200);
    EXPECT_EQ(server->ask("GET", "/v1/members", bearer(made)).status, 403);
    auto const key = made.json().at("apiKey");
    EXPECT_TRUE(key.at("userId").is_null());
    EXPECT_TRUE(key.at("expiresAt").is_null());
    EXPECT_EQ(key.at("createdBy").as_string(), admin.id.to_string());
    EXPECT_TRUE(made.text("key").starts_with(std::string(key.at("prefix").as_string())));
}

TEST_F(ApiKeysTest, IsShownOnceAndKeptAsItsHash) {
    auto const made = create(admin, of_a_service);
    auto const id = id_of(made);
    auto const key = made.text("key");
    EXPECT_EQ(server->ask("GET", "/v1/api-keys/" + id, admin.auth(*server, organization.id)).body.find(key),
              std::string::npos);
    EXPECT_EQ(organization.value(
                  "SELECT count(*) FROM api_keys k WHERE organization_id = $1::uuid AND k::text LIKE '%" + key + "%'"),
              "0");
    for (auto const* const table : {"outbox", "audit_log"}) {
        EXPECT_EQ(
            organization.value(fmt::format("SELECT count(*) FROM {} t WHERE organization_id = $1::uuid AND t::text "
                                           "LIKE '%{}%'",
                                           table, key)),
            "0");
    }
}

TEST_F(ApiKeysTest, IsShownToWhoRepeatsTheRequestAndKeptSealed) {
    auto const ask = [this](std::string const& who) { return create(who + "Idempotency-Key: once\r\n", of_a_service); };
    auto const mine = organization.json();
    auto const made = ask(mine);
    auto const again = ask(mine);
    ASSERT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(again.text("key"), made.text("key"));
    EXPECT_EQ(organization.value("SELECT count(*) FROM idempotency_keys WHERE organization_id = $1::uuid AND "
                                 "position(convert_to('" +
                                 made.text("key") + "', 'UTF8') IN body) > 0"),
              "0");
    EXPECT_EQ(organization.value("SELECT count(*) FROM idempotency_keys WHERE organization_id = $1::uuid AND "
                                 "octet_length(body) > 200"),
              "1");
    // Another key, which may hold less, is not told.
    auto const other = make_key(KeyKind::service);
    organization.add_key(other, "org.api_keys.create workspaces.*");
    auto const theirs = ask("Authorization: Bearer " + other + "\r\nContent-Type: application/json\r\n");
    EXPECT_EQ(theirs.status, 409);
    EXPECT_EQ(theirs.text("code"), "idempotency-key-reused");
}

TEST_F(ApiKeysTest, IsMadeByWhoMayAndGivesWhatTheyHold) {
    EXPECT_EQ(create(member, of_a_service).status, 403);
    EXPECT_EQ(create(admin, R"({"kind":"service","name":"R","scopes":["*"]})").status, 403);
    EXPECT_EQ(create(admin, R"({"kind":"service","name":"R","scopes":["workspaces.read","org.delete"]})").status / 100,
              4);
    EXPECT_EQ(create(member, R"({"kind":"personal","name":"R","scopes":["workspaces.*"]})").status, 403);
    EXPECT_EQ(create(member, R"({"kind":"personal","name":"R","scopes":["workspaces.read"]})").status, 201);
    auto const wrong = create(admin, R"({"kind":"service","name":"R","scopes":["workspaces.read","works.read"]})");
    EXPECT_EQ(wrong.status, 422);
    EXPECT_EQ(wrong.json().at("errors").as_array().at(0).at("pointer").as_string(), "/scopes/1");
    EXPECT_EQ(create(admin, R"({"kind":"service","name":"R","scopes":[]})").status, 422);
    EXPECT_EQ(create(admin, R"({"kind":"service","name":"","scopes":["workspaces.read"]})").status, 422);
}

TEST_F(ApiKeysTest, APersonsKeyIsCutDownToTheirRoleOfTheMoment) {
    auto const made = create(admin, of_mine);
    auto const with_body = bearer(made) + "Content-Type: application/json\r\n";
    EXPECT_EQ(status(with_body, "POST", R"({"name":"A"})"), 201);
    admin.become(organization.id, "VIEWER");
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (status(with_body, "POST", R"({"name":"A"})") != 403) ASSERT_LT(std::chrono::steady_clock::now(), last);
    EXPECT_EQ(status(bearer(made)), 200);
    admin.leave(organization.id);
    while (status(bearer(made)) != 401) ASSERT_LT(std::chrono::steady_clock::now(), last);
    EXPECT_EQ(
        organization.value("SELECT count(*) FROM api_keys WHERE organization_id = $1::uuid AND kind = 'personal'"),
        "0");
}

TEST_F(ApiKeysTest, APersonsKeyMakesNoKeysOfTheirs) {
    auto const made = create(admin, R"({"kind":"personal","name":"Mine","scopes":["workspaces.*","org.api_keys.*"]})");
    auto const headers = bearer(made) + "Content-Type: application/json\r\n";
    EXPECT_EQ(create(headers, of_mine).status, 403);
    EXPECT_EQ(create(headers, of_a_service).status, 201);
    EXPECT_EQ(create(organization.json(), of_mine).status, 403);  // a service has no keys of its own
}

TEST_F(ApiKeysTest, WithoutAnOrganizationThereIsNoKey) {
    EXPECT_EQ(create(admin.json(*server, std::nullopt), of_mine).status, 403);
    EXPECT_EQ(names(admin.auth(*server, std::nullopt)), std::set<std::string>{});
}

TEST_F(ApiKeysTest, Expires) {
    EXPECT_EQ(create(admin,
                     R"({"kind":"service","name":"R","scopes":["workspaces.read"],"expiresAt":"2020-01-01T00:00:00Z"})")
                  .status,
              422);
    EXPECT_EQ(
        create(admin,
               R"({"kind":"personal","name":"R","scopes":["workspaces.read"],"expiresAt":"2199-01-01T00:00:00Z"})")
            .status,
        422);
    auto const mine = create(admin, of_mine);
    auto const expires_at = parse_rfc3339(mine.json().at("apiKey").at("expiresAt").as_string());
    ASSERT_TRUE(expires_at);
    EXPECT_LT(*expires_at - now() - std::chrono::days{90}, std::chrono::minutes{1});
    EXPECT_GT(*expires_at - now() - std::chrono::days{90}, -std::chrono::minutes{1});
    EXPECT_EQ(status(bearer(mine)), 200);
    Person::query("UPDATE api_keys SET expires_at = now() WHERE id = $1::uuid", {id_of(mine)});
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (status(bearer(mine)) != 401) ASSERT_LT(std::chrono::steady_clock::now(), last);
}

TEST_F(ApiKeysTest, OnesOwnAreListedAndWhoManagesThemSeesAll) {
    create(admin, R"({"kind":"service","name":"Robot","scopes":["workspaces.read"]})");
    create(admin, R"({"kind":"personal","name":"Admin's","scopes":["workspaces.read"]})");
    create(member, R"({"kind":"personal","name":"Member's","scopes":["workspaces.read"]})");
    auto const managers = admin.auth(*server, organization.id);
    auto const members = member.auth(*server, organization.id);
    EXPECT_EQ(names(managers), (std::set<std::string>{"Test", "Robot", "Admin's", "Member's"}));
    EXPECT_EQ(names(members), std::set<std::string>{"Member's"});
    KeyHolder const other;
    EXPECT_EQ(names(other.auth()), std::set<std::string>{"Test"});
}

TEST_F(ApiKeysTest, AreListedPageByPage) {
    for (int i = 0; i < 5; ++i)
        id_of(create(member, fmt::format(R"({{"kind":"personal","name":"K{}","scopes":["workspaces.read"]}})", i)));
    auto const auth = member.auth(*server, organization.id);
    Strings seen;
    std::string cursor;
    for (int page = 0; page < 3; ++page) {
        auto const answer =
            server->ask("GET", "/v1/api-keys?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor), auth);
        ASSERT_EQ(answer.status, 200) << answer.body;
        auto const body = answer.json();
        for (auto const& item : body.at("items").as_array()) seen.emplace_back(item.at("name").as_string());
        EXPECT_EQ(body.at("nextCursor").is_null(), page == 2);
        if (page < 2) cursor = body.at("nextCursor").as_string();
    }
    EXPECT_EQ(seen, (Strings{"K4", "K3", "K2", "K1", "K0"}));
}

TEST_F(ApiKeysTest, ARevokedOneOpensNothingFromThenOn) {
    auto const made = create(member, R"({"kind":"personal","name":"Lost","scopes":["workspaces.read"]})");
    auto const id = id_of(made);
    auto const auth = member.auth(*server, organization.id);
    EXPECT_EQ(status(bearer(made)), 200);
    EXPECT_EQ(server->ask("DELETE", "/v1/api-keys/" + id, auth).status, 204);
    EXPECT_EQ(status(bearer(made)), 401);
    EXPECT_EQ(names(auth), std::set<std::string>{});
    EXPECT_EQ(names(auth, "?revoked=true"), std::set<std::string>{"Lost"});
    EXPECT_EQ(server->ask("DELETE", "/v1/api-keys/" + id, auth).status, 204);  // as often as one likes
    EXPECT_EQ(organization.value("SELECT string_agg(topic, ' ' ORDER BY created_at, id) FROM outbox WHERE "
                                 "organization_id = $1::uuid AND topic LIKE 'api_key.%'"),
              "api_key.created api_key.revoked");
    EXPECT_EQ(organization.value("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE "
                                 "organization_id = $1::uuid"),
              "api_key.created api_key.revoked");
}

TEST_F(ApiKeysTest, AnotherPersonsIsNotThereButForWhoManagesThem) {
    Person const colleague(organization, "MANAGER");
    auto const id = id_of(create(member, R"({"kind":"personal","name":"M","scopes":["workspaces.read"]})"));
    auto const path = "/v1/api-keys/" + id;
    auto const theirs = colleague.auth(*server, organization.id);
    EXPECT_EQ(server->ask("GET", path, theirs).status, 404);
    EXPECT_EQ(server->ask("DELETE", path, theirs).status, 404);
    auto const managers = admin.auth(*server, organization.id);
    auto const found = server->ask("GET", path, managers);
    EXPECT_EQ(found.status, 200);
    EXPECT_EQ(server->ask("DELETE", path, managers + "If-Match: \"nonsense\"\r\n").status, 412);
    EXPECT_EQ(server->ask("DELETE", path, managers + "If-Match: " + found.header("ETag") + "\r\n").status, 204);
}

TEST_F(ApiKeysTest, ThereIsAnEndToHowMany) {
    Person::query(
        "INSERT INTO api_keys (organization_id, kind, user_id, name, prefix, hash) "
        "SELECT $1::text::uuid, 'personal', $2::text::uuid, 'K', 'bp_pat_', sha256(convert_to($2::text || i, 'UTF8')) "
        "FROM generate_series(1, 100) i",
        {organization.id.to_string(), member.id.to_string()});
    auto const answer = create(member, R"({"kind":"personal","name":"M","scopes":["workspaces.read"]})");
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.text("code"), "too-many-api-keys");
}

}  // namespace
}  // namespace buildplan::identity
