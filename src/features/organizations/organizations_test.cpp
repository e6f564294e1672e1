#include "features/organizations/service.hpp"
#include "features/organizations/test_organizations.hpp"

namespace buildplan::organizations::testing {
namespace {

class Organizations : public OrganizationsTest {
protected:
    std::string path() const { return "/v1/organizations/" + us.id.to_string(); }
    std::string slug() const { return us.id.to_string(); }  // of the tests' organizations
    std::string typed() const { return fmt::format(R"({{"confirm":"{}"}})", slug()); }
    static std::string value(std::string const& sql, std::string const& id) {
        return api::testing::superuser().value(sql, {id}).value_or("");
    }
};

std::string unique_slug() { return "made-" + OrganizationId::make().to_string(); }

TEST_F(Organizations, AreMadeWithAllThatBelongsToOne) {
    Person const ada;
    Caller const caller(*server, ada, std::nullopt);
    auto const slug = unique_slug();
    auto const made = caller.post("/v1/organizations", fmt::format(R"({{"name":"Acme","slug":"{}"}})", slug));
    ASSERT_EQ(made.status, 201) << made.body;
    auto const id = made.text("id");
    EXPECT_EQ(made.header("Location"), "/v1/organizations/" + id);
    EXPECT_EQ(made.text("slug"), slug);
    EXPECT_EQ(value("SELECT role || ' ' || user_id FROM organization_members WHERE organization_id = $1::uuid", id),
              "OWNER " + ada.id.to_string());
    EXPECT_EQ(value("SELECT tier || ' ' || status FROM subscriptions WHERE organization_id = $1::uuid", id),
              "FREE active");
    EXPECT_EQ(value("SELECT count(*) FROM usage WHERE organization_id = $1::uuid", id), "1");
    EXPECT_EQ(value("SELECT topic FROM outbox WHERE organization_id = $1::uuid", id), "organization.created");
    EXPECT_EQ(value("SELECT action || ' ' || actor_id FROM audit_log WHERE organization_id = $1::uuid", id),
              "organization.created " + ada.id.to_string());
    auto const organization = OrganizationId::parse(id);
    ASSERT_TRUE(organization);
    auto const found = Caller(*server, ada, organization).get("/v1/organizations/" + id);
    EXPECT_EQ(found.body, made.body);
    EXPECT_EQ(found.header("ETag"), made.header("ETag"));
}

TEST_F(Organizations, HaveSlugsThatNobodyElseHas) {
    Person const ada;
    Caller const caller(*server, ada, std::nullopt);
    auto const taken = caller.post("/v1/organizations", fmt::format(R"({{"name":"X","slug":"{}"}})", slug()));
    EXPECT_EQ(taken.status, 409);
    EXPECT_EQ(taken.text("code"), "slug-taken");
    auto const reserved = caller.post("/v1/organizations", R"({"name":"X","slug":"admin"})");
    EXPECT_EQ(reserved.status, 422);
    EXPECT_EQ(reserved.json().at("errors").as_array().at(0).at("pointer").as_string(), "/slug");
    for (auto const name : {"Admin", "日本", "Same name", "Same name"}) {
        auto const made = caller.post("/v1/organizations", fmt::format(R"({{"name":"{}"}})", name));
        EXPECT_EQ(made.status, 201) << made.body;
        EXPECT_NE(made.text("slug"), "admin");
    }
    EXPECT_EQ(as(owner).patch(path(), R"({"slug":"admin"})").status, 422);
    KeyHolder const them;
    auto const stolen = as(owner).patch(path(), fmt::format(R"({{"slug":"{}"}})", them.id.to_string()));
    EXPECT_EQ(stolen.text("code"), "slug-taken");
}

TEST_F(Organizations, AreMadeOnceUnderAKeyAlsoWhenTheAnswerIsLost) {
    Person const ada;
    Caller const caller(*server, ada, std::nullopt);
    auto const ask = [&] { return caller.post("/v1/organizations", R"({"name":"Acme"})", "Idempotency-Key: k\r\n"); };
    auto const first = ask();
    ASSERT_EQ(first.status, 201) << first.body;
    auto const again = ask();
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    value("DELETE FROM idempotency_keys WHERE organization_id = $1::uuid", ada.id.to_string());  // the crash between
    auto const after = ask();
    EXPECT_EQ(after.status, 201);
    EXPECT_EQ(after.text("id"), first.text("id"));
    EXPECT_EQ(value("SELECT count(*) FROM organization_members WHERE user_id = $1::uuid", ada.id.to_string()), "1");
}

TEST_F(Organizations, AreMadeByPeopleAndNotWithoutEnd) {
    auto const by_key = server->ask("POST", "/v1/organizations", us.json(), R"({"name":"X"})");
    EXPECT_EQ(by_key.text("code"), "person-required");
    Person const ada;
    Person::query(
        "WITH made AS (INSERT INTO organizations (name, slug) SELECT 'X', 'many-' || replace($1, '-', '') || n "
        "FROM generate_series(1, 100) n RETURNING id) "
        "INSERT INTO organization_members (organization_id, user_id, role) SELECT id, $1::uuid, 'OWNER' FROM made",
        {ada.id.to_string()});
    Caller const caller(*server, ada, std::nullopt);
    EXPECT_EQ(caller.post("/v1/organizations", R"({"name":"X"})").text("code"), "too-many-organizations");
}

TEST_F(Organizations, OfMineAreListedAcrossTenants) {
    KeyHolder const other, strangers;
    owner.join(other.id, "VIEWER");
    auto const listed = [&](std::string const& auth) {
        std::map<std::string, std::string> all;
        std::string cursor;
        do {
            auto const answer =
                server->ask("GET", "/v1/organizations?limit=1" + (cursor.empty() ? "" : "&cursor=" + cursor), auth);
            EXPECT_EQ(answer.status, 200) << answer.body;
            auto const page = answer.json();
            for (auto const& item : page.at("items").as_array()) {
                all[std::string(item.at("id").as_string())] =
                    item.at("role").is_null() ? "-" : std::string(item.at("role").as_string());
            }
            cursor = page.at("nextCursor").is_null() ? "" : std::string(page.at("nextCursor").as_string());
        } while (!cursor.empty());
        return all;
    };
    using All = std::map<std::string, std::string>;
    EXPECT_EQ(listed(as(owner).auth()), (All{{us.id.to_string(), "OWNER"}, {other.id.to_string(), "VIEWER"}}));
    EXPECT_EQ(listed(owner.auth(*server, std::nullopt)).size(), 2u) << "also for who has chosen none";
    EXPECT_EQ(listed(us.auth()), (All{{us.id.to_string(), "-"}})) << "a key is shown what it opens";
    EXPECT_EQ(listed(Person().auth(*server, std::nullopt)), All{});
}

TEST_F(Organizations, ChangeIsAMergePatch) {
    auto const first = as(owner).patch(path(), R"({"name":"Acme","settings":{"a":{"b":1,"c":2},"d":true}})");
    ASSERT_EQ(first.status, 200) << first.body;
    auto const second = as(owner).patch(path(), R"({"settings":{"a":{"b":null},"e":[1]},"features":{"beta":true}})",
                                        first.header("ETag"));
    ASSERT_EQ(second.status, 200) << second.body;
    EXPECT_EQ(second.json().at("settings"), boost::json::parse(R"({"a":{"c":2},"d":true,"e":[1]})"));
    EXPECT_EQ(second.json().at("features"), boost::json::parse(R"({"beta":true})"));
    EXPECT_EQ(second.text("name"), "Acme");
    EXPECT_EQ(as(owner).patch(path(), R"({"name":"Late"})", first.header("ETag")).status, 412);
    EXPECT_EQ(as(owner).patch(path(), "{}").header("ETag"), second.header("ETag"));
    EXPECT_EQ(topics(), "organization.updated organization.updated");
    EXPECT_EQ(us.value("SELECT before::text FROM audit_log WHERE organization_id = $1::uuid ORDER BY seq LIMIT 1"),
              fmt::format(R"({{"name": "Test", "slug": "{}", "settings": {{}}}})", slug()));
    EXPECT_EQ(as(owner).patch(path(), R"({"limits":{"api":-1}})").status, 422) << "not theirs to change";
}

TEST_F(Organizations, SettingsAreBoundedAlsoBitByBit) {
    auto const piece = [](int n) {
        return fmt::format(R"({{"settings":{{"k{}":"{}"}}}})", n, std::string(30'000, 'x'));
    };
    EXPECT_EQ(as(owner).patch(path(), piece(1)).status, 200);
    EXPECT_EQ(as(owner).patch(path(), piece(2)).status, 200);
    auto const answer = as(owner).patch(path(), piece(3));
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(answer.json().at("errors").as_array().at(0).at("pointer").as_string(), "/settings");
}

TEST_F(Organizations, AnotherOneIsNotThere) {
    KeyHolder const them;
    auto const other = "/v1/organizations/" + them.id.to_string();
    owner.join(them.id, "OWNER");  // a member there, too, but the token speaks for us
    EXPECT_EQ(as(owner).get(other).status, 404);
    EXPECT_EQ(as(owner).patch(other, R"({"name":"X"})").status, 404);
    EXPECT_EQ(as(owner).remove(other, fmt::format(R"({{"confirm":"{}"}})", them.id.to_string())).status, 404);
    EXPECT_EQ(as(owner).post(other + "/restore").status, 404);
}

TEST_F(Organizations, DeletionIsTypedAndClosesEverythingButRestoring) {
    Person const admin(us, "ADMIN");
    auto const wrong = as(owner).remove(path(), R"({"confirm":"test"})");
    EXPECT_EQ(wrong.status, 422);
    EXPECT_EQ(wrong.json().at("errors").as_array().at(0).at("pointer").as_string(), "/confirm");
    EXPECT_EQ(as(admin).remove(path(), typed()).status, 403);
    EXPECT_EQ(server->ask("DELETE", path(), us.json(), typed()).text("code"), "person-required");
    EXPECT_EQ(as(owner).get("/v1/workspaces").status, 200);
    EXPECT_EQ(server->ask("GET", "/v1/workspaces", us.auth()).status, 200);

    auto const gone = as(owner).remove(path(), typed());
    ASSERT_EQ(gone.status, 200) << gone.body;
    EXPECT_FALSE(gone.json().at("deletedAt").is_null());
    EXPECT_EQ(us.value("SELECT delete_after - deleted_at FROM organizations WHERE id = $1::uuid"), "30 days");
    EXPECT_EQ(topics() + " " + recorded(), "organization.deleted organization.deleted");

    for (auto const& auth : {as(owner).auth(), as(admin).auth(), us.auth()}) {
        for (auto const* const target : {"/v1/workspaces", "/v1/members"}) {
            auto const refused = server->ask("GET", target, auth);
            EXPECT_EQ(refused.status, 403);
            EXPECT_EQ(refused.text("code"), "organization-deleted");
        }
        EXPECT_EQ(server->ask("GET", path(), auth).text("code"), "organization-deleted");
    }
    EXPECT_EQ(as(owner).post("/v1/api-keys", R"({"kind":"service","name":"Late","scopes":["*"]})").text("code"),
              "organization-deleted");
    auto const mine = as(owner).get("/v1/organizations");
    EXPECT_FALSE(mine.json().at("items").as_array().at(0).at("deleteAfter").is_null());

    EXPECT_EQ(as(admin).post(path() + "/restore").status, 403);
    EXPECT_EQ(server->ask("POST", path() + "/restore", us.auth()).text("code"), "person-required");
    auto const back = as(owner).post(path() + "/restore");
    ASSERT_EQ(back.status, 200) << back.body;
    EXPECT_TRUE(back.json().at("deletedAt").is_null());
    EXPECT_EQ(as(admin).get("/v1/workspaces").status, 200);
    EXPECT_EQ(server->ask("GET", "/v1/workspaces", us.auth()).status, 200);
    EXPECT_EQ(as(owner).post(path() + "/restore").text("code"), "not-deleted");
    EXPECT_EQ(recorded(), "organization.deleted organization.restored");
}

TEST_F(Organizations, AreJoinedByNobodyWhileTheyAreDeleted) {
    Person const ada;
    Person::query("UPDATE users SET email_verified = true WHERE id = $1::uuid", {ada.id.to_string()});
    EXPECT_EQ(
        as(owner).post("/v1/invitations", fmt::format(R"({{"email":"{}@example.com"}})", ada.id.to_string())).status,
        201);
    auto const token = us.value("SELECT payload ->> 'token' FROM outbox WHERE organization_id = $1::uuid");
    EXPECT_EQ(as(owner).remove(path(), typed()).status, 200);
    auto const answer =
        Caller(*server, ada, std::nullopt).post("/v1/invitations/accept", fmt::format(R"({{"token":"{}"}})", token));
    EXPECT_EQ(answer.text("code"), "organization-deleted");
}

TEST_F(Organizations, ArePurgedWithAllTheyHaveWhenTheirTimeIsOver) {
    KeyHolder const waiting;
    Person const other(waiting, "OWNER");
    EXPECT_EQ(as(owner).post("/v1/workspaces", R"({"name":"Shop"})").status, 201);
    EXPECT_EQ(as(owner).remove(path(), typed()).status, 200);
    EXPECT_EQ(Caller(*server, other, waiting.id)
                  .remove("/v1/organizations/" + waiting.id.to_string(),
                          fmt::format(R"({{"confirm":"{}"}})", waiting.id.to_string()))
                  .status,
              200);
    change("UPDATE organizations SET delete_after = now() - interval '1 second' WHERE id = $1::uuid");
    std::uint64_t purged = 0;
    server->run([](postgres::SystemPool& system, std::uint64_t& count) -> task<> {
        count = co_await purge_deleted_organizations(system);
    }(server->shard().system, purged));
    EXPECT_EQ(purged, 1u);
    EXPECT_EQ(us.value("SELECT count(*) FROM organizations WHERE id = $1::uuid"), "0");
    for (auto const* const table : {"workspaces", "organization_members", "api_keys", "audit_log", "audit_heads"}) {
        EXPECT_EQ(us.value(fmt::format("SELECT count(*) FROM {} WHERE organization_id = $1::uuid", table)), "0")
            << table;
    }
    EXPECT_EQ(topics(), "workspace.created organization.deleted organization.purged");
    EXPECT_EQ(waiting.value("SELECT count(*) FROM organizations WHERE id = $1::uuid"), "1");
    EXPECT_EQ(as(owner).get("/v1/workspaces").status, 401);
}

}  // namespace
}  // namespace buildplan::organizations::testing
