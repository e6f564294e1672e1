// What must hold of every table of the schema, asked of the catalog, so that a new table cannot forget it.
#include <gtest/gtest.h>

#include "postgres/roles.hpp"
#include "postgres/session.hpp"
#include "postgres/test_database.hpp"

namespace buildplan::postgres {
namespace {

using test_support::EmptyDatabase;
using test_support::MigratedDatabase;

class Catalog : public testing::Test {
protected:
    static void SetUpTestSuite() {
        database = std::make_unique<MigratedDatabase>();
        session = std::make_unique<Session>(database->admin());
    }
    static void TearDownTestSuite() {
        session.reset();
        database.reset();
    }

    // The query names what is wrong, one row each.
    static void expect_nothing(std::string const& query) {
        for (auto const& row : session->query(query)) ADD_FAILURE() << row[0].value_or("NULL");
    }

    static inline std::unique_ptr<MigratedDatabase> database;
    static inline std::unique_ptr<Session> session;
};

constexpr auto tenant_tables = R"sql(
    WITH tenant_tables AS (
        SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity,
               CASE c.relname WHEN 'organizations' THEN 'id' ELSE 'organization_id' END AS tenant_column
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND (c.relname = 'organizations' OR EXISTS (
              SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped)))
)sql";

TEST_F(Catalog, ThereAreTenantTables) {
    EXPECT_GE(std::stoi(session->value(std::string(tenant_tables) + "SELECT count(*) FROM tenant_tables").value()), 5);
}

TEST_F(Catalog, EveryTableOfTenantsHasForcedRowSecurity) {
    expect_nothing(std::string(tenant_tables) +
                   "SELECT relname FROM tenant_tables WHERE NOT (relrowsecurity AND relforcerowsecurity)");
}

TEST_F(Catalog, EveryTableOfTenantsHasThePolicyInTheContractsWords) {
    expect_nothing(std::string(tenant_tables) + R"sql(
        SELECT relname FROM tenant_tables t WHERE NOT EXISTS (
            SELECT FROM pg_policies p
            WHERE p.tablename = t.relname AND p.policyname = 'tenant_isolation' AND p.permissive = 'PERMISSIVE'
              AND p.cmd = 'ALL' AND p.roles = '{buildplan_app}' AND p.qual = p.with_check
              AND p.qual = format('(%s = (current_setting(''app.current_organization_id''::text))::uuid)', tenant_column)))sql");
}

TEST_F(Catalog, TheAppRoleHasNoOtherPolicy) {
    expect_nothing(R"sql(
        SELECT tablename || '.' || policyname FROM pg_policies
        WHERE policyname <> 'tenant_isolation' AND roles <> '{buildplan_system}')sql");
}

TEST_F(Catalog, OrganizationIdIsNeverNull) {
    expect_nothing(std::string(tenant_tables) + R"sql(
        SELECT relname FROM tenant_tables t JOIN pg_attribute a ON a.attrelid = t.oid
        WHERE a.attname = tenant_column AND NOT a.attnotnull)sql");
}

TEST_F(Catalog, PrimaryKeysAndIndexesBeginWithTheTenant) {
    expect_nothing(std::string(tenant_tables) + R"sql(
        SELECT i.indexrelid::regclass::text FROM tenant_tables t JOIN pg_index i ON i.indrelid = t.oid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
        WHERE a.attname <> tenant_column AND i.indexrelid::regclass::text NOT IN (
            -- Found before the tenant is known, or swept over all tenants.
            'organizations_slug_key', 'api_keys_hash_key', 'idempotency_keys_by_expiry', 'outbox_waiting'))sql");
}

TEST_F(Catalog, ForeignKeysBetweenTenantTablesCarryTheTenant) {
    expect_nothing(std::string(tenant_tables) + R"sql(
        SELECT k.conname FROM pg_constraint k
        JOIN tenant_tables referring ON referring.oid = k.conrelid
        JOIN tenant_tables referred ON referred.oid = k.confrelid
        WHERE k.contype = 'f' AND NOT EXISTS (
            SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = here
            JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = there
            WHERE a.attname = referring.tenant_column AND b.attname = referred.tenant_column))sql");
}

TEST_F(Catalog, TheRolesOwnNothingAndAreHeldByRowSecurity) {
    expect_nothing(R"sql(
        SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
        WHERE r.rolname IN ('buildplan_app', 'buildplan_system')
        UNION ALL
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('buildplan_owner', 'buildplan_app', 'buildplan_system')
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        UNION ALL
        SELECT roleid::regrole || ' granted to ' || member::regrole FROM pg_auth_members
        WHERE member::regrole::text IN ('buildplan_app', 'buildplan_system'))sql");
}

TEST_F(Catalog, EverybodyElseHasNoRights) {
    expect_nothing(R"sql(
        SELECT c.relname || ' to ' || CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END
        FROM pg_class c, aclexplode(c.relacl) g
        WHERE c.relnamespace = 'public'::regnamespace
          AND (g.grantee = 0 OR g.grantee::regrole::text NOT IN ('buildplan_owner', 'buildplan_app', 'buildplan_system')
               OR (g.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES') AND g.grantee <> c.relowner)))sql");
}

TEST_F(Catalog, TheAppRoleCannotMakeAnything) {
    Session app(database->app());
    EXPECT_THROW(app.execute("CREATE TABLE mine (x integer)"), ServerError);
    EXPECT_THROW(app.execute("CREATE TEMPORARY TABLE workspaces (x integer)"), ServerError);
    EXPECT_THROW(app.execute("ALTER TABLE workspaces DISABLE ROW LEVEL SECURITY"), ServerError);
    EXPECT_THROW(app.execute("SET ROLE buildplan_owner"), ServerError);
}

TEST_F(Catalog, FunctionsDoNotRunWithTheRightsOfTheirOwner) {
    expect_nothing("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef");
}

TEST_F(Catalog, RoleSettingsHoldForWhoeverConnects) {
    Session app(database->app());
    EXPECT_EQ(app.value("SHOW plan_cache_mode"), "force_generic_plan");
    EXPECT_EQ(app.value("SHOW statement_timeout"), "15s");
    EXPECT_EQ(app.value("SHOW lock_timeout"), "3s");
    EXPECT_EQ(app.value("SHOW idle_in_transaction_session_timeout"), "15s");
    EXPECT_EQ(app.value("SHOW search_path"), "public, pg_temp");
    EXPECT_EQ(app.value("SHOW jit"), "off");
}

TEST_F(Catalog, DefaultIdsAreVersion7AndCarryTheTime) {
    auto const rows = session->query(R"sql(
        SELECT id, abs(extract(epoch FROM now()) * 1000 - ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint) < 60000
        FROM (SELECT uuid_v7() AS id FROM generate_series(1, 20)) ids)sql");
    for (auto const& row : rows) {
        EXPECT_EQ(row[0].value()[14], '7') << row[0].value();
        EXPECT_NE(std::string_view("89ab").find(row[0].value()[19]), std::string_view::npos) << row[0].value();
        EXPECT_EQ(row[1], "t");
    }
}

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
    EXPECT_THROW(count(system, "outbox"), ServerError);
    EXPECT_THROW(system.execute("UPDATE api_keys SET revoked_at = NULL"), ServerError);
    EXPECT_THROW(system.execute("DELETE FROM organizations"), ServerError);
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
    for (std::string const table : {"workspaces", "api_keys"}) {
        std::string plan;
        for (auto const& row :
             app.query("EXPLAIN SELECT id FROM " + table + " WHERE (created_at, id) < (now(), '" + theirs +
                       "') "
                       "ORDER BY created_at DESC, id DESC LIMIT 20")) {
            plan += row[0].value() + "\n";
        }
        EXPECT_NE(plan.find(table + "_by_age"), std::string::npos) << plan;
        EXPECT_EQ(plan.find("Sort"), std::string::npos) << plan;
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
