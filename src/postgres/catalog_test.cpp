// What must hold of every table of the schema, asked of the catalog, so that a new table cannot forget it. Each check
// is a query that names what is wrong; on a schema with careless tables each must find something.
#include <gtest/gtest.h>

#include "postgres/session.hpp"
#include "postgres/test_database.hpp"

namespace buildplan::postgres {
namespace {

using test_support::MigratedDatabase;

constexpr auto tenant_tables = R"sql(
    WITH tenant_tables AS (
        SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity,
               CASE c.relname WHEN 'organizations' THEN 'id' ELSE 'organization_id' END AS tenant_column
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND (c.relname = 'organizations' OR EXISTS (
              SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped)))
)sql";

struct Check {
    char const* name;
    std::string query;
};

std::vector<Check> const checks = {
    {"EveryTableOfTenantsHasForcedRowSecurity",
     std::string(tenant_tables) +
         "SELECT relname FROM tenant_tables WHERE NOT (relrowsecurity AND relforcerowsecurity)"},
    {"EveryTableOfTenantsHasThePolicyInTheContractsWords", std::string(tenant_tables) + R"sql(
        SELECT relname FROM tenant_tables t WHERE NOT EXISTS (
            SELECT FROM pg_policies p
            WHERE p.tablename = t.relname AND p.policyname = 'tenant_isolation' AND p.permissive = 'PERMISSIVE'
              AND p.cmd = 'ALL' AND p.roles = '{buildplan_app}' AND p.qual = p.with_check
              AND p.qual = format('(%s = (current_setting(''app.current_organization_id''::text))::uuid)', tenant_column)))sql"},
    {"TheAppRoleHasNoOtherPolicy",
     R"sql(
        SELECT tablename || '.' || policyname FROM pg_policies
        WHERE policyname <> 'tenant_isolation' AND roles <> '{buildplan_system}')sql"},
    {"OrganizationIdIsNeverNull", std::string(tenant_tables) + R"sql(
        SELECT relname FROM tenant_tables t JOIN pg_attribute a ON a.attrelid = t.oid
        WHERE a.attname = tenant_column AND NOT a.attnotnull)sql"},
    {"PrimaryKeysAndIndexesBeginWithTheTenant", std::string(tenant_tables) + R"sql(
        SELECT i.indexrelid::regclass::text FROM tenant_tables t JOIN pg_index i ON i.indrelid = t.oid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
        WHERE a.attname <> tenant_column AND i.indexrelid::regclass::text NOT IN (
            -- Found before the tenant is known, or swept over all tenants.
            'organizations_slug_key', 'api_keys_hash_key', 'idempotency_keys_by_expiry', 'outbox_waiting'))sql"},
    {"ForeignKeysBetweenTenantTablesCarryTheTenant", std::string(tenant_tables) + R"sql(
        SELECT k.conname FROM pg_constraint k
        JOIN tenant_tables referring ON referring.oid = k.conrelid
        JOIN tenant_tables referred ON referred.oid = k.confrelid
        WHERE k.contype = 'f' AND NOT EXISTS (
            SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = here
            JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = there
            WHERE a.attname = referring.tenant_column AND b.attname = referred.tenant_column))sql"},
    {"TheRolesOwnNothingAndAreHeldByRowSecurity",
     R"sql(
        SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
        WHERE r.rolname IN ('buildplan_app', 'buildplan_system')
        UNION ALL
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('buildplan_owner', 'buildplan_app', 'buildplan_system')
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        UNION ALL
        SELECT roleid::regrole || ' granted to ' || member::regrole FROM pg_auth_members
        WHERE member::regrole::text IN ('buildplan_app', 'buildplan_system'))sql"},
    {"EverybodyElseHasNoRights",
     R"sql(
        SELECT c.relname || ' to ' || CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END
        FROM pg_class c, aclexplode(c.relacl) g
        WHERE c.relnamespace = 'public'::regnamespace
          AND (g.grantee = 0 OR g.grantee::regrole::text NOT IN ('buildplan_owner', 'buildplan_app', 'buildplan_system')
               OR (g.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES') AND g.grantee <> c.relowner)))sql"},
    {"FunctionsDoNotRunWithTheRightsOfTheirOwner",
     "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"},
};

constexpr auto careless_schema = R"sql(
    CREATE TABLE careless (organization_id uuid, id uuid PRIMARY KEY, workspace_id uuid);
    CREATE UNIQUE INDEX workspaces_id ON workspaces (id);
    ALTER TABLE careless ADD FOREIGN KEY (workspace_id) REFERENCES workspaces (id);
    CREATE POLICY everything ON workspaces TO buildplan_app USING (true);
    GRANT SELECT ON careless TO PUBLIC;
    CREATE TABLE owned (x integer);
    ALTER TABLE owned OWNER TO buildplan_app;
    CREATE FUNCTION powerful() RETURNS integer LANGUAGE sql SECURITY DEFINER RETURN 1)sql";

class Catalog : public testing::TestWithParam<Check> {
protected:
    static void SetUpTestSuite() {
        ours = std::make_unique<MigratedDatabase>();
        careless = std::make_unique<MigratedDatabase>();
        Session(careless->admin()).execute(careless_schema);
    }
    static void TearDownTestSuite() {
        ours.reset();
        careless.reset();
    }

    static inline std::unique_ptr<MigratedDatabase> ours;
    static inline std::unique_ptr<MigratedDatabase> careless;
};

TEST_P(Catalog, HasNothingWrong) {
    for (auto const& row : Session(ours->admin()).query(GetParam().query)) ADD_FAILURE() << row[0].value_or("NULL");
}

TEST_P(Catalog, CheckFindsWhatIsCareless) { EXPECT_FALSE(Session(careless->admin()).query(GetParam().query).empty()); }

// Another line here is a decision that somebody has to look at.
TEST(CrossTenantAccess, IsWhatWasReviewed) {
    MigratedDatabase const database;
    Session session(database.admin());
    std::vector<std::string> found;
    for (auto const& row : session.query(R"sql(
        SELECT 'policy ' || tablename || ' ' || cmd || coalesce(' ' || nullif(qual, 'true'), '')
        FROM pg_policies WHERE 'buildplan_system' = ANY (roles)
        UNION ALL
        SELECT 'grant ' || table_name || ' ' || privilege_type
        FROM information_schema.table_privileges WHERE grantee = 'buildplan_system' AND table_name <> 'schema_migrations'
        UNION ALL
        SELECT 'grant ' || c.table_name || ' ' || c.privilege_type || ' (' || string_agg(c.column_name, ', ' ORDER BY c.column_name) || ')'
        FROM information_schema.column_privileges c
        WHERE c.grantee = 'buildplan_system' AND NOT EXISTS (
            SELECT FROM information_schema.table_privileges t
            WHERE (t.grantee, t.table_name, t.privilege_type) = (c.grantee, c.table_name, c.privilege_type))
        GROUP BY c.table_name, c.privilege_type
        ORDER BY 1)sql")) {
        found.push_back(row[0].value_or("NULL"));
    }
    EXPECT_EQ(found, (std::vector<std::string>{
                         "grant api_keys SELECT",
                         "grant api_keys UPDATE (last_used_at)",
                         "grant idempotency_keys DELETE",
                         "grant idempotency_keys SELECT (expires_at, key, organization_id)",
                         "grant organizations INSERT",
                         "grant organizations SELECT",
                         "policy api_keys SELECT",
                         "policy api_keys UPDATE",
                         "policy idempotency_keys DELETE (expires_at < now())",
                         "policy idempotency_keys SELECT (expires_at < now())",
                         "policy organizations INSERT",
                         "policy organizations SELECT",
                     }));
}

INSTANTIATE_TEST_SUITE_P(Checks, Catalog, testing::ValuesIn(checks), [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace buildplan::postgres
