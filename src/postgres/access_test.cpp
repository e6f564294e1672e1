// Who may do what with which table: all of it, so that another grant or policy is a line here that somebody looks at.
#include <gtest/gtest.h>

#include <string>

#include "postgres/session.hpp"
#include "postgres/test_database.hpp"

namespace buildplan::postgres {
namespace {

using test_support::MigratedDatabase;

std::string access_of(std::string const& role) {
    MigratedDatabase const database;
    Session session(database.admin());
    std::string found = "\n";
    for (auto const& row : session.query(R"sql(
        SELECT 'policy ' || tablename || ' ' || cmd || coalesce(' ' || nullif(regexp_replace(qual, '\s+', ' ', 'g'), 'true'), '')
        FROM pg_policies WHERE $1 = ANY (roles) AND policyname <> 'tenant_isolation'
        UNION ALL
        SELECT 'grant ' || table_name || ' ' || privilege_type
        FROM information_schema.table_privileges WHERE grantee = $1 AND table_name <> 'schema_migrations'
        UNION ALL
        SELECT 'grant ' || c.table_name || ' ' || c.privilege_type || ' (' || string_agg(c.column_name, ', ' ORDER BY c.column_name) || ')'
        FROM information_schema.column_privileges c
        WHERE c.grantee = $1 AND NOT EXISTS (
            SELECT FROM information_schema.table_privileges t
            WHERE (t.grantee, t.table_name, t.privilege_type) = (c.grantee, c.table_name, c.privilege_type))
        GROUP BY c.table_name, c.privilege_type
        ORDER BY 1)sql",
                                         {role})) {
        found += row[0].value_or("NULL") + "\n";
    }
    return found;
}

// Another line in these lists is a decision that somebody has to look at.
TEST(AccessOfTheSystemRole, IsWhatWasReviewed) {
    EXPECT_EQ(access_of("buildplan_system"), R"(
grant api_keys SELECT
grant api_keys UPDATE (installation, last_used_at)
grant audit_log INSERT (action, actor_id, actor_kind, actor_name, address, after, before, organization_id, request_id, target_id, target_kind)
grant idempotency_keys DELETE
grant idempotency_keys SELECT (expires_at, key, organization_id)
grant installation_owners DELETE
grant installation_owners INSERT
grant installation_owners SELECT
grant invitations SELECT
grant invitations UPDATE (accepted_at, accepted_by, version)
grant organization_members INSERT
grant organization_members SELECT
grant organizations DELETE
grant organizations INSERT
grant organizations SELECT
grant outbox DELETE
grant outbox INSERT (id, organization_id, payload, topic)
grant outbox SELECT
grant outbox UPDATE (attempts, done_at, epoch, error, failed_at, job, payload, queue, relayed_at, round)
grant queue_pauses DELETE
grant queue_pauses INSERT
grant queue_pauses SELECT
grant revocations DELETE
grant revocations INSERT (subject)
grant revocations SELECT
grant sessions DELETE
grant sessions INSERT
grant sessions SELECT
grant sessions UPDATE (address, current_organization_id, expires_at, last_used_at, previous_refresh_hash, refresh_hash, revoked_at, revoked_reason, rotated_at, user_agent)
grant signing_keys DELETE
grant signing_keys INSERT
grant signing_keys SELECT
grant signing_keys UPDATE (active_from, expires_at, retired_at)
grant subscriptions INSERT
grant subscriptions SELECT
grant subscriptions UPDATE (current_period_end, current_period_start, custom_limits, status, stripe_customer_id, stripe_subscription_id, tier, updated_at, version)
grant usage INSERT
grant usage SELECT
grant usage UPDATE (agent_minutes, api_calls, github_operations, requests_created, storage_gb, updated_at)
grant usage_meters DELETE
grant usage_meters INSERT
grant usage_meters SELECT
grant usage_meters UPDATE (folds, updated_at)
grant user_tokens DELETE
grant user_tokens INSERT
grant user_tokens SELECT
grant user_tokens UPDATE (used_at)
grant users INSERT
grant users SELECT
grant users UPDATE (email, email_verified, mfa_enabled, mfa_secret, name, password_hash, updated_at)
policy api_keys SELECT
policy api_keys UPDATE
policy audit_log INSERT
policy idempotency_keys DELETE (expires_at < now())
policy idempotency_keys SELECT (expires_at < now())
policy installation_owners ALL
policy invitations SELECT
policy invitations UPDATE ((accepted_at IS NULL) AND (revoked_at IS NULL) AND (expires_at > now()))
policy organization_members INSERT
policy organization_members SELECT
policy organizations DELETE (delete_after < now())
policy organizations INSERT
policy organizations SELECT
policy outbox DELETE ((relayed_at < (now() - '1 day'::interval)) AND ((queue IS NULL) OR (done_at IS NOT NULL) OR (failed_at IS NOT NULL)))
policy outbox INSERT
policy outbox SELECT (NOT (topic ^@ 'mail.'::text))
policy outbox SELECT (topic ^@ 'mail.'::text)
policy outbox UPDATE ((relayed_at IS NULL) AND (topic ^@ 'mail.'::text))
policy outbox UPDATE (NOT (topic ^@ 'mail.'::text))
policy queue_pauses ALL
policy sessions ALL
policy signing_keys ALL
policy subscriptions INSERT
policy subscriptions SELECT
policy subscriptions UPDATE
policy usage INSERT
policy usage SELECT
policy usage UPDATE
policy usage_meters ALL
policy user_tokens ALL
policy users INSERT
policy users SELECT
policy users UPDATE
)");
}

TEST(AccessOfTheAppRole, IsWhatWasReviewed) {
    EXPECT_EQ(access_of("buildplan_app"), R"(
grant api_keys INSERT (created_by, expires_at, hash, id, kind, name, organization_id, prefix, scopes, user_id)
grant api_keys SELECT
grant api_keys UPDATE (expires_at, name, revoked_at, scopes, version)
grant audit_heads SELECT
grant audit_log INSERT (action, actor_id, actor_kind, actor_name, address, after, before, organization_id, request_id, target_id, target_kind)
grant audit_log SELECT
grant idempotency_keys DELETE
grant idempotency_keys INSERT
grant idempotency_keys SELECT
grant idempotency_keys UPDATE (body, created_at, expires_at, fingerprint, headers, status)
grant invitations INSERT (email, expires_at, id, invited_by, organization_id, role, sent_at, sent_count, token_hash)
grant invitations SELECT (accepted_at, accepted_by, created_at, email, email_lc, expires_at, id, invited_by, organization_id, revoked_at, role, sent_at, sent_count, version)
grant invitations UPDATE (expires_at, revoked_at, role, sent_at, sent_count, token_hash, version)
grant organization_members DELETE
grant organization_members SELECT
grant organization_members UPDATE (role, updated_at, version)
grant organizations SELECT
grant organizations UPDATE (delete_after, deleted_at, features, name, settings, slug, updated_at, version)
grant outbox INSERT (id, organization_id, payload, topic)
grant outbox SELECT (done_at, failed_at, id, organization_id, round)
grant outbox UPDATE (attempts, done_at, error, failed_at)
grant revocations INSERT (subject)
grant subscriptions SELECT
grant usage INSERT
grant usage SELECT
grant usage UPDATE (agent_minutes, api_calls, github_operations, requests_created, storage_gb, updated_at)
grant users SELECT (created_at, email, email_lc, email_verified, id, mfa_enabled, name, updated_at)
grant workspaces INSERT
grant workspaces SELECT
grant workspaces UPDATE (archived_at, description, name, slug, updated_at, version)
policy users SELECT (EXISTS ( SELECT FROM organization_members m WHERE ((m.organization_id = (current_setting('app.current_organization_id'::text))::uuid) AND (m.user_id = users.id))))
)");
}

}  // namespace
}  // namespace buildplan::postgres
