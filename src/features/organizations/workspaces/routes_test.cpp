#include <gtest/gtest.h>

#include <set>

#include "features/organizations/workspaces/service.hpp"
#include "features/test_product.hpp"

namespace buildplan::organizations {
namespace {

using features::testing::HttpAnswer;
using features::testing::KeyHolder;
using features::testing::Product;

TEST(Slugs, AreMadeOfNames) {
    EXPECT_EQ(slug_of("Web Shop (new)"), "web-shop-new");
    EXPECT_EQ(slug_of("  --A__b--  "), "a-b");
    EXPECT_EQ(slug_of("Größe"), "gr-e");
    EXPECT_EQ(slug_of("日本"), "workspace");
    EXPECT_EQ(slug_of(std::string(100, 'x')), std::string(48, 'x'));
}

class WorkspacesTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    HttpAnswer create(std::string_view body, std::string_view headers = {}) const {
        return server->ask("POST", "/v1/workspaces", us.json() + std::string(headers), body);
    }
    std::string created(std::string_view name) const {
        auto const answer = create(fmt::format(R"({{"name":"{}"}})", name));
        EXPECT_EQ(answer.status, 201) << answer.body;
        return answer.text("id");
    }
    HttpAnswer get(std::string const& id) const { return server->ask("GET", "/v1/workspaces/" + id, us.auth()); }
    HttpAnswer patch(std::string const& id, std::string_view body, std::string const& etag = {}) const {
        return server->ask("PATCH", "/v1/workspaces/" + id,
                           us.merge() + (etag.empty() ? "" : "If-Match: " + etag + "\r\n"), body);
    }
    // All names of a list, page by page.
    std::vector<std::string> names(std::string const& query) const {
        std::vector<std::string> all;
        std::string cursor;
        for (int pages = 0; pages < 20; ++pages) {
            auto const answer =
                server->ask("GET", "/v1/workspaces?" + query + (cursor.empty() ? "" : "&cursor=" + cursor), us.auth());
            EXPECT_EQ(answer.status, 200) << answer.body;
            auto const page = answer.json();
            for (auto const& item : page.at("items").as_array()) all.emplace_back(item.at("name").as_string());
            if (page.at("nextCursor").is_null()) return all;
            cursor = page.at("nextCursor").as_string();
        }
        ADD_FAILURE() << "the list does not end";
        return all;
    }
    std::string topics() const {
        return us.value(
            "SELECT string_agg(topic, ' ' ORDER BY created_at, id) FROM outbox WHERE organization_id = $1::uuid");
    }

    static inline std::unique_ptr<Product> server;
    KeyHolder us;
};

TEST_F(WorkspacesTest, ANewOneIsWhereLocationSays) {
    auto const made = create(R"({"name":"Web shop","description":"All of it"})");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.header("Location"), "/v1/workspaces/" + made.text("id"));
    EXPECT_EQ(made.text("slug"), "web-shop");
    EXPECT_TRUE(made.json().at("archivedAt").is_null());
    auto const found = server->ask("GET", made.header("Location"), us.auth());
    EXPECT_EQ(found.status, 200);
    EXPECT_EQ(found.body, made.body);
    EXPECT_EQ(found.header("ETag"), made.header("ETag"));
    EXPECT_EQ(topics(), "workspace.created");
}

TEST_F(WorkspacesTest, ChangesAreRecordedWithWhatWasBefore) {
    auto const id = created("Shop");
    EXPECT_EQ(patch(id, R"({"name":"Store"})").status, 200);
    EXPECT_EQ(server->ask("DELETE", "/v1/workspaces/" + id, us.auth()).status, 204);
    EXPECT_EQ(
        us.value("SELECT string_agg(action || ' ' || coalesce(before ->> 'name', '-') || ' ' || (after ->> 'name') "
                 "|| ' ' || target_id, ', ' ORDER BY seq) FROM audit_log WHERE organization_id = $1::uuid"),
        fmt::format("workspace.created - Shop {0}, workspace.updated Shop Store {0}, "
                    "workspace.archived Store Store {0}",
                    id));
}

TEST_F(WorkspacesTest, ATakenSlugIsAConflict) {
    EXPECT_EQ(create(R"({"name":"A","slug":"shop"})").status, 201);
    auto const answer = create(R"({"name":"B","slug":"shop"})");
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.text("code"), "slug-taken");
    EXPECT_EQ(answer.json().at("errors").as_array().at(0).at("pointer").as_string(), "/slug");
    EXPECT_EQ(topics(), "workspace.created");
    EXPECT_EQ(create(R"({"name":"B","slug":"shop"})", "Idempotency-Key: k\r\n").text("code"), "slug-taken");
}

TEST_F(WorkspacesTest, AMadeSlugGivesWay) {
    auto const first = create(R"({"name":"Shop"})").text("slug");
    auto const second = create(R"({"name":"Shop"})").text("slug");
    EXPECT_EQ(first, "shop");
    EXPECT_TRUE(second.starts_with("shop-")) << second;
}

TEST_F(WorkspacesTest, ManyOfOneNameAtOnceAllGetASlug) {
    std::deque<api::testing::HttpClient> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back(server->port());
        clients.back().send("POST", "/v1/workspaces", us.json(), R"({"name":"Shop"})");
    }
    std::set<std::string> slugs;
    for (auto& client : clients) slugs.insert(client.receive().text("slug"));
    EXPECT_EQ(slugs.size(), 8u);
    EXPECT_TRUE(slugs.contains("shop"));
}

TEST_F(WorkspacesTest, AnotherOrganizationMayHaveTheSameSlug) {
    KeyHolder them;
    EXPECT_EQ(create(R"({"name":"A","slug":"same"})").status, 201);
    EXPECT_EQ(server->ask("POST", "/v1/workspaces", them.json(), R"({"name":"A","slug":"same"})").status, 201);
}

TEST_F(WorkspacesTest, ARepeatedCreateMakesOne) {
    auto const first = create(R"({"name":"Shop"})", "Idempotency-Key: once\r\n");
    auto const again = create(R"({"name":"Shop"})", "Idempotency-Key: once\r\n");
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("ETag"), first.header("ETag"));
    EXPECT_EQ(us.value("SELECT count(*) FROM workspaces WHERE organization_id = $1::uuid"), "1");
}

TEST_F(WorkspacesTest, AChangeIsAMergePatch) {
    auto const id = create(R"({"name":"Shop","description":"Old"})").text("id");
    auto const renamed = patch(id, R"({"name":"Store"})");
    ASSERT_EQ(renamed.status, 200) << renamed.body;
    EXPECT_EQ(renamed.text("name"), "Store");
    EXPECT_EQ(renamed.text("description"), "Old");
    auto const cleared = patch(id, R"({"description":null})");
    EXPECT_TRUE(cleared.json().at("description").is_null());
    EXPECT_EQ(cleared.text("name"), "Store");
    EXPECT_EQ(topics(), "workspace.created workspace.updated workspace.updated");
}

TEST_F(WorkspacesTest, WhatCannotBeRemovedIsNotNull) {
    auto const id = created("Shop");
    auto const answer = patch(id, R"({"name":null,"owner":1})");
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(answer.json().at("errors").as_array().size(), 2u);
    EXPECT_EQ(get(id).text("name"), "Shop");
}

TEST_F(WorkspacesTest, AnEmptyChangeChangesNothing) {
    auto const id = created("Shop");
    auto const before = get(id).header("ETag");
    auto const answer = patch(id, "{}");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("ETag"), before);
    EXPECT_EQ(patch(id, "{}", "\"9.000000000000\"").status, 412);
    EXPECT_EQ(patch(WorkspaceId::make().to_string(), "{}").status, 404);
    EXPECT_EQ(topics(), "workspace.created");
}

TEST_F(WorkspacesTest, OfTwoChangesToOneVersionOneWins) {
    auto const id = created("Shop");
    auto const etag = get(id).header("ETag");
    EXPECT_EQ(patch(id, R"({"name":"First"})", etag).status, 200);
    auto const late = patch(id, R"({"name":"Second"})", etag);
    EXPECT_EQ(late.status, 412);
    EXPECT_EQ(late.text("code"), "precondition-failed");
    EXPECT_EQ(get(id).text("name"), "First");
    EXPECT_EQ(patch(id, R"({"name":"Third"})", get(id).header("ETag")).status, 200);
}

TEST_F(WorkspacesTest, OfManyChangesAtOnceToOneVersionOneWins) {
    auto const id = created("Shop");
    auto const etag = get(id).header("ETag");
    std::deque<api::testing::HttpClient> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back(server->port());
        clients.back().send("PATCH", "/v1/workspaces/" + id, us.merge() + "If-Match: " + etag + "\r\n",
                            fmt::format(R"({{"name":"Name {}"}})", i));
    }
    std::multiset<int> statuses;
    for (auto& client : clients) statuses.insert(client.receive().status);
    EXPECT_EQ(statuses.count(200), 1u);
    EXPECT_EQ(statuses.count(412), 7u);
}

TEST_F(WorkspacesTest, AnArchivedOneLeavesTheListAndComesBack) {
    auto const id = created("Shop");
    auto const other = created("Other");
    EXPECT_EQ(server->ask("DELETE", "/v1/workspaces/" + id, us.auth() + "If-Match: \"7.000000000000\"\r\n").status,
              412);
    EXPECT_EQ(server->ask("DELETE", "/v1/workspaces/" + id, us.auth()).status, 204);
    EXPECT_EQ(names(""), (std::vector<std::string>{"Other"}));
    EXPECT_EQ(names("archived=true"), (std::vector<std::string>{"Shop"}));
    auto const archived = get(id);
    EXPECT_FALSE(archived.json().at("archivedAt").is_null());
    EXPECT_EQ(server->ask("DELETE", "/v1/workspaces/" + id, us.auth()).status, 204) << "it is so already";
    EXPECT_EQ(get(id).header("ETag"), archived.header("ETag"));
    auto const back = patch(id, R"({"archived":false})");
    EXPECT_EQ(back.status, 200);
    EXPECT_TRUE(back.json().at("archivedAt").is_null());
    EXPECT_EQ(topics(), "workspace.created workspace.created workspace.archived workspace.restored");
}

TEST_F(WorkspacesTest, AreListedInEachOrderPageByPage) {
    for (auto const name : {"delta", "alpha", "echo", "bravo", "charlie"}) created(name);
    for (auto const limit : {1, 2, 5, 100}) {
        auto const with = [&](std::string_view sort) { return fmt::format("limit={}&sort={}", limit, sort); };
        EXPECT_EQ(names(with("name")), (std::vector<std::string>{"alpha", "bravo", "charlie", "delta", "echo"}));
        EXPECT_EQ(names(with("createdAt")), (std::vector<std::string>{"delta", "alpha", "echo", "bravo", "charlie"}));
        EXPECT_EQ(names(with("-createdAt")), (std::vector<std::string>{"charlie", "bravo", "echo", "alpha", "delta"}));
    }
    EXPECT_EQ(names(""), names("sort=-createdAt"));
}

TEST_F(WorkspacesTest, ACursorBelongsToItsListAndTenant) {
    for (auto const name : {"a", "b", "c"}) created(name);
    auto const first = server->ask("GET", "/v1/workspaces?limit=1", us.auth()).text("nextCursor");
    auto const status = [&](std::string const& query, KeyHolder const& who) {
        auto const answer = server->ask("GET", "/v1/workspaces?" + query, who.auth());
        if (answer.status == 400) EXPECT_EQ(answer.text("code"), "invalid-cursor");
        return answer.status;
    };
    EXPECT_EQ(status("cursor=" + first, us), 200);
    EXPECT_EQ(status("limit=2&sort=-createdAt&cursor=" + first, us), 200);
    EXPECT_EQ(status("sort=name&cursor=" + first, us), 400);
    EXPECT_EQ(status("sort=createdAt&cursor=" + first, us), 400);
    EXPECT_EQ(status("archived=true&cursor=" + first, us), 400);
    EXPECT_EQ(status("cursor=" + first + "A", us), 400);
    EXPECT_EQ(status("cursor=", us), 400);
    KeyHolder them;
    EXPECT_EQ(status("cursor=" + first, them), 400);
}

}  // namespace
}  // namespace buildplan::organizations
