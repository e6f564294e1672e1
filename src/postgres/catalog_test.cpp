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
        WHERE policyname <> 'tenant_isolation' AND roles NOT IN ('{buildplan_system}', '{buildplan_owner}')
          -- Whoever is a member where one is a member.
          AND (tablename, policyname) <> ('users', 'fellow_members'))sql"},
    {"TheOwnerHasNoPolicyButForItsFunctions",
     R"sql(
        SELECT tablename || '.' || policyname FROM pg_policies
        WHERE 'buildplan_owner' = ANY (roles) AND (tablename, policyname, cmd) NOT IN (
            ('audit_heads', 'owner_chain', 'ALL'), ('audit_log', 'owner_forget', 'DELETE'),
            ('audit_log', 'owner_forget_see', 'SELECT'),
            ('users', 'owner_name', 'SELECT'), ('api_keys', 'owner_name', 'SELECT')))sql"},
    {"EveryTableHasForcedRowSecurity",
     R"sql(
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'f')
          AND NOT (relrowsecurity AND relforcerowsecurity)
          -- Which schema this is; and bare ids, written by any tenant and read by none.
          AND relname NOT IN ('schema_migrations', 'revocations'))sql"},
    {"EveryPolicyThatWritesSaysWhatMayBeWritten",
     R"sql(
        SELECT tablename || '.' || policyname FROM pg_policies
        WHERE cmd IN ('ALL', 'INSERT', 'UPDATE') AND with_check IS NULL)sql"},
    {"ViewsAskWithTheRightsOfWhoeverAsks",
     R"sql(
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
          AND (relkind = 'm' OR relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)))sql"},
    {"NobodyChangesWholeRowsOrTheirKeys",
     R"sql(
        SELECT c.relname || ' by ' || g.grantee::regrole FROM pg_class c, aclexplode(c.relacl) g
        WHERE c.relnamespace = 'public'::regnamespace AND g.privilege_type = 'UPDATE' AND g.grantee <> c.relowner
        UNION ALL
        SELECT c.relname || '.' || a.attname || ' by ' || g.grantee::regrole
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) g
        WHERE c.relnamespace = 'public'::regnamespace AND g.privilege_type = 'UPDATE' AND g.grantee <> c.relowner
          AND (a.attname IN ('organization_id', 'user_id', 'created_at') AND c.relname <> 'idempotency_keys'
               OR EXISTS (SELECT FROM pg_index i
                          WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))))sql"},
    {"NobodyHandsRightsOn",
     R"sql(
        SELECT c.relname FROM pg_class c, aclexplode(c.relacl) g
        WHERE c.relnamespace = 'public'::regnamespace AND g.is_grantable AND g.grantee <> c.relowner
        UNION ALL
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) g
        WHERE c.relnamespace = 'public'::regnamespace AND g.is_grantable AND g.grantee <> c.relowner)sql"},
    {"OrganizationIdIsNeverNull", std::string(tenant_tables) + R"sql(
        SELECT relname FROM tenant_tables t JOIN pg_attribute a ON a.attrelid = t.oid
        WHERE a.attname = tenant_column AND NOT a.attnotnull)sql"},
    {"PrimaryKeysAndIndexesBeginWithTheTenant", std::string(tenant_tables) + R"sql(
        SELECT i.indexrelid::regclass::text FROM tenant_tables t JOIN pg_index i ON i.indrelid = t.oid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
        WHERE a.attname <> tenant_column AND i.indexrelid::regclass::text NOT IN (
            -- Found before the tenant is known, or swept over all tenants.
            'organizations_slug_key', 'organizations_to_purge', 'api_keys_hash_key', 'idempotency_keys_by_expiry',
            'outbox_waiting', 'outbox_letters', 'outbox_owed', 'outbox_dead', 'outbox_settled',
            'organization_members_by_user', 'invitations_token_hash_key'))sql"},
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
               OR (g.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES') AND g.grantee <> c.relowner))
        UNION ALL
        SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) g
        WHERE c.relnamespace = 'public'::regnamespace
          AND (g.grantee = 0 OR g.grantee::regrole::text NOT IN ('buildplan_app', 'buildplan_system')
               OR g.privilege_type = 'REFERENCES'))sql"},
    {"OnlyReviewedFunctionsRunWithTheRightsOfTheirOwner",
     R"sql(
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prosecdef
          AND (proname NOT IN ('audit_chain', 'audit_forget')
               OR proconfig IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}'
               OR has_function_privilege('buildplan_app', oid, 'EXECUTE')
               OR has_function_privilege('buildplan_system', oid, 'EXECUTE')))sql"},
};

constexpr auto careless_schema = R"sql(
    CREATE TABLE careless (organization_id uuid, id uuid PRIMARY KEY, workspace_id uuid);
    CREATE UNIQUE INDEX workspaces_id ON workspaces (id);
    ALTER TABLE careless ADD FOREIGN KEY (workspace_id) REFERENCES workspaces (id);
    CREATE POLICY everything ON workspaces TO buildplan_app USING (true);
    GRANT SELECT ON careless TO PUBLIC;
    GRANT UPDATE ON careless TO buildplan_app WITH GRANT OPTION;
    CREATE POLICY owner_reads ON workspaces FOR SELECT TO buildplan_owner USING (true);
    CREATE VIEW everyones AS SELECT * FROM workspaces;
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

INSTANTIATE_TEST_SUITE_P(Checks, Catalog, testing::ValuesIn(checks), [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace buildplan::postgres
