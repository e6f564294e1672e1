// What the roles may do and see, tried out.
#include <gtest/gtest.h>

#include "postgres/roles.hpp"
#include "postgres/session.hpp"
#include "postgres/test_database.hpp"

namespace buildplan::postgres {
namespace {

using test_support::EmptyDatabase;
using test_support::MigratedDatabase;

class Tenants : public testing::Test {
protected:
    static constexpr auto ours = "00000000-0000-7000-8000-00000000000a";
    static constexpr auto theirs = "00000000-0000-7000-8000-00000000000b";

    static void SetUpTestSuite() {
        database = std::make_unique<MigratedDatabase>();
        Session system(database->system());
        for (auto const* const id : {ours, theirs}) {
            system.query(
                "INSERT INTO organizations (id, name, slug) VALUES ($1::uuid, 'Org', 'org-' || right($1::uuid::text, "
                "1))",
                {id});
            Session app(database->app());
            app.query("SELECT set_config('app.current_organization_id', $1, false)", {id});
            app.query("INSERT INTO workspaces (organization_id, name, slug) VALUES ($1::uuid, 'Home', 'home')", {id});
            app.query(
                "INSERT INTO api_keys (organization_id, kind, name, prefix, hash) "
                "VALUES ($1::uuid, 'service', 'CI', 'bp_svc_', sha256($1::uuid::text::bytea))",
                {id});
            app.query(
                "INSERT INTO idempotency_keys (organization_id, key, fingerprint, expires_at) "
                "VALUES ($1::uuid, 'old', sha256(''), now() - interval '1 second'), "
                "       ($1::uuid, 'new', sha256(''), now() + interval '1 hour')",
                {id});
            app.query("INSERT INTO outbox (organization_id, topic, payload) VALUES ($1::uuid, 'made', '{}')", {id});
        }
    }
    static void TearDownTestSuite() { database.reset(); }

    static std::string count(Session& session, std::string const& table) {
        return session.value("SELECT count(*) FROM " + table).value();
    }

    static inline std::unique_ptr<MigratedDatabase> database;
};

TEST_F(Tenants, QueryWithoutATenantFails) {
    for (auto const* const table : {"organizations", "workspaces", "api_keys", "idempotency_keys"}) {
        Session app(database->app());
        EXPECT_THROW(count(app, table), ServerError) << table;
        app.execute("BEGIN; SELECT set_config('app.current_organization_id', '" + std::string(ours) +
                    "', true); COMMIT");
        EXPECT_THROW(count(app, table), ServerError) << table << " after a transaction";
    }
}

TEST_F(Tenants, SeeTheirOwnRowsAlone) {
    Session app(database->app());
    app.query("SELECT set_config('app.current_organization_id', $1, false)", {ours});
    EXPECT_EQ(app.value("SELECT string_agg(id::text, ',') FROM organizations"), ours);
    EXPECT_EQ(app.value("SELECT string_agg(organization_id::text, ',') FROM workspaces"), ours);
    EXPECT_EQ(app.value("SELECT string_agg(organization_id::text, ',') FROM api_keys"), ours);
    EXPECT_EQ(count(app, "idempotency_keys"), "2");
}

TEST_F(Tenants, CannotWriteInAnothersName) {
    Session app(database->app());
    app.query("SELECT set_config('app.current_organization_id', $1, false)", {ours});
    auto const insert = [&](char const* sql) { EXPECT_THROW(app.query(sql, {theirs}), ServerError) << sql; };
    insert("INSERT INTO workspaces (organization_id, name, slug) VALUES ($1::uuid, 'Ours', 'ours')");
    insert("INSERT INTO outbox (organization_id, topic, payload) VALUES ($1::uuid, 'made', '{}')");
    insert("UPDATE workspaces SET organization_id = $1::uuid");
    EXPECT_TRUE(
        app.query("UPDATE workspaces SET name = 'X' WHERE organization_id = $1::uuid RETURNING id", {theirs}).empty());
}

TEST_F(Tenants, SystemSeesWhatItsPoliciesSayAndNothingElse) {
    Session system(database->system());
    EXPECT_EQ(count(system, "organizations"), "2");
    EXPECT_EQ(count(system, "api_keys"), "2");
    EXPECT_THROW(count(system, "workspaces"), ServerError);
    EXPECT_EQ(count(system, "outbox"), "2");
    EXPECT_THROW(system.execute("UPDATE outbox SET topic = 'other'"), ServerError);
    EXPECT_TRUE(system.query("DELETE FROM outbox RETURNING id").empty()) << "none is settled and old";
    EXPECT_THROW(system.execute("UPDATE api_keys SET revoked_at = NULL"), ServerError);
    EXPECT_TRUE(system.query("DELETE FROM organizations RETURNING id").empty()) << "none is to be deleted by now";
    system.execute("UPDATE api_keys SET last_used_at = now()");
    EXPECT_THROW(system.value("SELECT body FROM idempotency_keys"), ServerError);
    EXPECT_EQ(system.query("DELETE FROM idempotency_keys WHERE expires_at < now() RETURNING key").size(), 2U);
    EXPECT_EQ(count(system, "idempotency_keys"), "0") << "those that are valid are not seen";
}

TEST_F(Tenants, RowsGoWithTheirOrganization) {
    Session admin(database->admin());
    admin.execute("BEGIN");
    admin.query("DELETE FROM organizations WHERE id = $1", {theirs});
    EXPECT_EQ(count(admin, "workspaces"), "1");
    EXPECT_EQ(count(admin, "api_keys"), "1");
    EXPECT_EQ(count(admin, "outbox"), "2");
    admin.execute("ROLLBACK");
}

TEST_F(Tenants, ListsAreReadFromAnIndexInOrder) {
    Session app(database->app());
    app.query("SELECT set_config('app.current_organization_id', $1, false)", {ours});
    app.execute("SET enable_seqscan = off; SET enable_bitmapscan = off");
    auto const plan_of = [&](std::string const& query) {
        std::string plan;
        for (auto const& row : app.query("EXPLAIN " + query)) plan += row[0].value() + "\n";
        return plan;
    };
    for (std::string const table : {"workspaces", "api_keys"}) {
        auto const plan = plan_of("SELECT id FROM " + table + " WHERE (created_at, id) < (now(), '" + theirs +
                                  "') ORDER BY created_at DESC, id DESC LIMIT 20");
        EXPECT_NE(plan.find(table + "_by_age"), std::string::npos) << plan;
        EXPECT_EQ(plan.find("Sort"), std::string::npos) << plan;
    }
    auto const plan = plan_of("SELECT id FROM workspaces WHERE (name, id) > ('a', '" + std::string(theirs) +
                              "') ORDER BY name, id LIMIT 20");
    EXPECT_NE(plan.find("workspaces_by_name"), std::string::npos) << plan;
    EXPECT_NE(plan.find("Index Cond: ((organization_id = "), std::string::npos) << plan;
    EXPECT_NE(plan.find("(ROW(name, id) > "), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Sort"), std::string::npos) << plan;
}

TEST_F(Tenants, TheAppRoleCannotMakeAnything) {
    Session app(database->app());
    EXPECT_THROW(app.execute("CREATE TABLE mine (x integer)"), ServerError);
    EXPECT_THROW(app.execute("CREATE TEMPORARY TABLE workspaces (x integer)"), ServerError);
    EXPECT_THROW(app.execute("ALTER TABLE workspaces DISABLE ROW LEVEL SECURITY"), ServerError);
    EXPECT_THROW(app.execute("SET ROLE buildplan_owner"), ServerError);
}

TEST_F(Tenants, RoleSettingsHoldForWhoeverConnects) {
    Session app(database->app());
    EXPECT_EQ(app.value("SHOW plan_cache_mode"), "force_generic_plan");
    EXPECT_EQ(app.value("SHOW statement_timeout"), "15s");
    EXPECT_EQ(app.value("SHOW lock_timeout"), "3s");
    EXPECT_EQ(app.value("SHOW idle_in_transaction_session_timeout"), "15s");
    EXPECT_EQ(app.value("SHOW search_path"), "public, pg_temp");
    EXPECT_EQ(app.value("SHOW jit"), "off");
}

TEST_F(Tenants, DefaultIdsAreVersion7AndCarryTheTime) {
    auto const rows = Session(database->admin()).query(R"sql(
        SELECT id, abs(extract(epoch FROM now()) * 1000 - ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint) < 60000
        FROM (SELECT uuid_v7() AS id FROM generate_series(1, 20)) ids)sql");
    for (auto const& row : rows) {
        EXPECT_EQ(row[0].value()[14], '7') << row[0].value();
        EXPECT_NE(std::string_view("89ab").find(row[0].value()[19]), std::string_view::npos) << row[0].value();
        EXPECT_EQ(row[1], "t");
    }
}

TEST(Roles, AreMadeAgainWithoutChange) {
    EmptyDatabase const database;
    bootstrap_roles(database.admin());
    // Nothing is missing, so nobody needs to be an administrator.
    bootstrap_roles(database.owner());
}

TEST(Roles, ThatMayTooMuchArePutRight) {
    EmptyDatabase const database;
    Session admin(database.admin());
    admin.execute("ALTER ROLE buildplan_system BYPASSRLS");
    bootstrap_roles(database.admin());
    EXPECT_EQ(admin.value("SELECT rolbypassrls FROM pg_roles WHERE rolname = 'buildplan_system'"), "f");
}

TEST(Roles, KeepAPasswordAsItsVerifier) {
    EmptyDatabase const database;
    bootstrap_roles(database.admin(), {.app = "it's secret"});
    Session admin(database.admin());
    EXPECT_EQ(admin.value("SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'buildplan_app'"),
              "SCRAM-SHA-256$");
}

}  // namespace
}  // namespace buildplan::postgres
