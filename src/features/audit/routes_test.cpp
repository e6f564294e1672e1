#include "features/audit/routes.hpp"

#include <gtest/gtest.h>

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/test_server.hpp"
#include "features/audit/service.hpp"

namespace buildplan::audit {
namespace {

using api::testing::database;
using api::testing::HttpAnswer;
using api::testing::Tenant;
using api::testing::TestServer;

constexpr auto ada = "0190a5b2-7c3d-7e4f-8a6b-0000000000aa";

task<api::Response> do_something(api::Tx& tx, api::Call const&) {
    Event const event{.action = "thing.made", .target_kind = "thing", .target_id = "1", .after = R"({"n": 1})"};
    co_await record(tx, event);
    co_return api::Response(204);
}
constexpr api::Route acts[] = {
    {"POST", "/v1/things", "things.create", api::handle<do_something>, "Do something", api::returns_nothing()}};

class AuditRoutes : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        static std::span<api::Route const> const tables[] = {routes(), acts};
        server = std::make_unique<TestServer>(tables);
    }
    static void TearDownTestSuite() { server.reset(); }

    void record(int count, std::string const& columns = "", std::string const& values = "") const {
        postgres::Session(database().admin())
            .execute("INSERT INTO audit_log (organization_id, actor_kind, action, target_kind" + columns +
                     ") SELECT '" + tenant.id.to_string() + "', 'system', 'thing.made', 'thing'" + values +
                     " FROM generate_series(1, " + std::to_string(count) + ") i");
    }
    [[nodiscard]] HttpAnswer ask(std::string const& query = "", std::string_view permissions = "org.audit.read") const {
        return server->ask("GET", "/v1/audit-log" + query, tenant.auth(permissions));
    }
    // The numbers of the entries on a page.
    static std::string seqs(HttpAnswer const& answer) {
        EXPECT_EQ(answer.status, 200) << answer.body;
        std::string all;
        auto const json = answer.json();
        for (auto const& item : json.at("items").as_array()) {
            if (!all.empty()) all += ' ';
            all += std::to_string(item.at("seq").to_number<int>());
        }
        return all;
    }
    // A download, whole: its connection ends with it.
    [[nodiscard]] std::string download(std::string const& query) const {
        auto client = server->connect();
        client.send("GET", "/v1/audit-log/export" + query, tenant.auth("org.audit.read") + "Connection: close\r\n", "");
        return client.rest();
    }

    static inline std::unique_ptr<TestServer> server;
    Tenant tenant;
};

TEST_F(AuditRoutes, NeedThePermission) {
    EXPECT_EQ(ask("", "org.settings.read").status, 403);
    EXPECT_EQ(ask("/export", "org.members.*").status, 403);
    EXPECT_EQ(ask("", "org.audit.*").status, 200);
}

TEST_F(AuditRoutes, ShowWhoDidWhatFromWhere) {
    auto const answer = server->ask("POST", "/v1/things", tenant.auth("things.create") + "X-Request-Id: r-1\r\n");
    ASSERT_EQ(answer.status, 204) << answer.body;
    auto const entry = ask().json().at("items").at(0);
    EXPECT_EQ(entry.at("action"), "thing.made");
    EXPECT_EQ(entry.at("actor").at("kind"), "system");  // the test's tokens have neither person nor key
    EXPECT_EQ(entry.at("target").at("id"), "1");
    EXPECT_TRUE(entry.at("before").is_null());
    EXPECT_EQ(entry.at("after").at("n"), 1);
    EXPECT_EQ(entry.at("address"), "127.0.0.1");
    EXPECT_EQ(entry.at("requestId"), "r-1");
    EXPECT_EQ(entry.at("hash").as_string().size(), 64U);
}

TEST_F(AuditRoutes, PageFromTheNewestBack) {
    record(5);
    auto const first = ask("?limit=2");
    EXPECT_EQ(seqs(first), "5 4");
    auto const second = ask("?limit=2&cursor=" + first.text("nextCursor"));
    EXPECT_EQ(seqs(second), "3 2");
    auto const last = ask("?limit=2&cursor=" + second.text("nextCursor"));
    EXPECT_EQ(seqs(last), "1");
    EXPECT_TRUE(last.json().at("nextCursor").is_null());
    EXPECT_EQ(ask("?limit=2&action=thing.made&cursor=" + first.text("nextCursor")).text("code"), "invalid-cursor");
}

TEST_F(AuditRoutes, FilterByActorActionTargetAndTime) {
    record(2, ", actor_id, target_id", std::string(", '") + ada + "', 'target-' || i");
    record(1, ", target_id", ", 'target-1'");
    postgres::Session admin(database().admin());
    admin.execute(
        "INSERT INTO audit_log (organization_id, actor_kind, actor_id, action, target_kind, target_id) VALUES ('" +
        tenant.id.to_string() + "', 'user', '" + ada + "', 'thing.removed', 'thing', 'target-1')");
    EXPECT_EQ(seqs(ask(std::string("?actor=") + ada)), "4 2 1");
    EXPECT_EQ(seqs(ask("?action=thing.removed")), "4");
    EXPECT_EQ(seqs(ask("?target=target-1")), "4 3 1");
    EXPECT_EQ(seqs(ask(std::string("?target=target-1&actor=") + ada)), "4 1");
    EXPECT_EQ(seqs(ask(std::string("?target=target-1&action=thing.made&actor=") + ada)), "1");
    EXPECT_EQ(seqs(ask(std::string("?action=thing.made&actor=") + ada)), "2 1");

    admin.execute("SET session_replication_role = replica");  // else time and history stay as they are
    admin.query(
        "UPDATE audit_log SET at = '2026-01-01Z'::timestamptz + seq * interval '1 hour' WHERE organization_id = $1",
        {tenant.id.to_string()});
    EXPECT_EQ(seqs(ask("?from=2026-01-01T02:00:00Z&to=2026-01-01T04:00:00Z")), "3 2");
    EXPECT_EQ(seqs(ask("?from=2026-01-01T04:00:00.001Z")), "");
    EXPECT_EQ(seqs(ask("?to=2026-01-01T01:00:00Z")), "");
    EXPECT_EQ(seqs(ask("?from=2026-01-01T02:00:00Z&target=target-1")), "4 3");
    EXPECT_EQ(seqs(ask(std::string("?to=2026-01-01T02:00:00Z&actor=") + ada)), "1");
    for (auto const* const bad : {"?actor=ada", "?from=yesterday", "?seq=1", "?action="})
        EXPECT_EQ(ask(bad).status, 422) << bad;
}

TEST_F(AuditRoutes, DoNotShowAnothersLog) {
    record(2, ", target_id", ", 'same'");
    Tenant const other;
    auto const theirs = server->ask("GET", "/v1/audit-log?target=same", other.auth("org.audit.read"));
    EXPECT_EQ(seqs(theirs), "");
    auto const cursor = ask("?limit=1").text("nextCursor");
    EXPECT_EQ(server->ask("GET", "/v1/audit-log?limit=1&cursor=" + cursor, other.auth("org.audit.read")).status, 400);
}

TEST_F(AuditRoutes, ExportAllOfItInOrderAndSaySo) {
    record(150);
    auto const text = download("");
    EXPECT_NE(text.find("Content-Type: application/jsonl"), std::string::npos);
    EXPECT_NE(text.find("attachment; filename=\"audit-log.jsonl\""), std::string::npos);
    std::size_t at = 0;
    for (int seq = 1; seq <= 151; ++seq) {
        at = text.find("\"seq\":" + std::to_string(seq) + ",", at);
        ASSERT_NE(at, std::string::npos) << seq;
    }
    EXPECT_NE(text.find("audit_log.exported", at), std::string::npos) << "the download is the last entry";
    EXPECT_EQ(text.find("\"seq\":152,"), std::string::npos);
    auto const csv = download("?format=csv&action=thing.made");
    EXPECT_NE(csv.find("seq,at,actorKind"), std::string::npos);
    EXPECT_EQ(csv.find("audit_log.exported"), std::string::npos);
    EXPECT_EQ(ask("/export?format=xml").status, 422);
}

}  // namespace
}  // namespace buildplan::audit
