// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "postgres/statement.hpp"

namespace buildplan::identity::sign_in::queries {

// Whether they ever signed in from there: such an address is not counted with the strangers.
struct FindCredentials {
    std::string_view address;
    std::string_view email_lc;

    static constexpr char sql[] = R"sql(SELECT id, email, name, password_hash, email_verified, mfa_enabled, created_at,
       EXISTS (SELECT FROM sessions s WHERE s.user_id = users.id AND s.address = $1) AS knows_address
FROM users WHERE email_lc = $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // address
        postgres::oid::text,  // email_lc
    };
    static constexpr postgres::Statement statement{"identity.sign_in.find_credentials", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId id;
        std::string email;
        std::string name;
        std::string password_hash;
        bool email_verified;
        bool mfa_enabled;
        Timestamp created_at;
        bool knows_address;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(address);
        parameters.add(email_lc);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<UserId>(0),
            .email = row.get<std::string>(1),
            .name = row.get<std::string>(2),
            .password_hash = row.get<std::string>(3),
            .email_verified = row.get<bool>(4),
            .mfa_enabled = row.get<bool>(5),
            .created_at = row.get<Timestamp>(6),
            .knows_address = row.get<bool>(7),
        };
    }
};

struct FindUser {
    UserId user_id;

    static constexpr char sql[] =
        R"sql(SELECT id, email, name, password_hash, email_verified, mfa_enabled, created_at FROM users WHERE id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.find_user", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId id;
        std::string email;
        std::string name;
        std::string password_hash;
        bool email_verified;
        bool mfa_enabled;
        Timestamp created_at;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(user_id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<UserId>(0),
            .email = row.get<std::string>(1),
            .name = row.get<std::string>(2),
            .password_hash = row.get<std::string>(3),
            .email_verified = row.get<bool>(4),
            .mfa_enabled = row.get<bool>(5),
            .created_at = row.get<Timestamp>(6),
        };
    }
};

struct MembershipRow {
    OrganizationId id;
    std::string name;
    std::string slug;
    std::string role;
};

struct ListMemberships {
    UserId user_id;

    static constexpr char sql[] =
        R"sql(SELECT o.id, o.name, o.slug, m.role FROM organization_members m JOIN organizations o ON o.id = m.organization_id
WHERE m.user_id = $1 ORDER BY o.name, o.id LIMIT 1000)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.list_memberships", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    using Row = MembershipRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(user_id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .role = row.get<std::string>(3),
        };
    }
};

struct FindMembership {
    UserId user_id;
    OrganizationId organization_id;

    static constexpr char sql[] =
        R"sql(SELECT o.id, o.name, o.slug, m.role FROM organization_members m JOIN organizations o ON o.id = m.organization_id
WHERE m.user_id = $1 AND m.organization_id = $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
        postgres::oid::uuid,  // organization_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.find_membership", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    using Row = MembershipRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(organization_id);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .role = row.get<std::string>(3),
        };
    }
};

// Nothing when the address is taken.
struct CreateUser {
    UserId user_id;
    std::string_view email;
    std::string_view name;
    std::string_view password_hash;

    static constexpr char sql[] = R"sql(INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, $3, $4)
ON CONFLICT (email_lc) DO NOTHING RETURNING created_at)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
        postgres::oid::text,  // email
        postgres::oid::text,  // name
        postgres::oid::text,  // password_hash
    };
    static constexpr postgres::Statement statement{"identity.sign_in.create_user", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        Timestamp created_at;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(email);
        parameters.add(name);
        parameters.add(password_hash);
    }
    static Row read(postgres::RowView row) {
        return {
            .created_at = row.get<Timestamp>(0),
        };
    }
};

// Nothing when the slug is taken.
struct FoundOrganization {
    OrganizationId organization_id;
    std::string_view name;
    std::string_view slug;

    static constexpr char sql[] = R"sql(INSERT INTO organizations (id, name, slug) VALUES ($1, $2, $3)
ON CONFLICT (slug) DO NOTHING RETURNING created_at)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::text,  // name
        postgres::oid::text,  // slug
    };
    static constexpr postgres::Statement statement{"identity.sign_in.found_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        Timestamp created_at;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(name);
        parameters.add(slug);
    }
    static Row read(postgres::RowView row) {
        return {
            .created_at = row.get<Timestamp>(0),
        };
    }
};

struct JoinAsOwner {
    OrganizationId organization_id;
    UserId user_id;

    static constexpr char sql[] =
        R"sql(INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, 'OWNER'))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.join_as_owner", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(user_id);
    }
};

struct SubscribeToFree {
    OrganizationId organization_id;

    static constexpr char sql[] = R"sql(INSERT INTO subscriptions (organization_id, tier) VALUES ($1, 'FREE'))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.subscribe_to_free", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(organization_id); }
};

struct BeginUsage {
    OrganizationId organization_id;

    static constexpr char sql[] =
        R"sql(INSERT INTO usage (organization_id, period) VALUES ($1, date_trunc('month', now(), 'UTC')))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.begin_usage", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(organization_id); }
};

// An event; one about a person alone lies under their own id.
struct Tell {
    OrganizationId organization_id;
    std::string_view topic;
    postgres::JsonView payload;

    static constexpr char sql[] = R"sql(INSERT INTO outbox (organization_id, topic, payload) VALUES ($1, $2, $3))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,   // organization_id
        postgres::oid::text,   // topic
        postgres::oid::jsonb,  // payload
    };
    static constexpr postgres::Statement statement{"identity.sign_in.tell", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(topic);
        parameters.add(payload);
    }
};

struct CreateSession {
    SessionId session_id;
    UserId user_id;
    std::optional<OrganizationId> organization_id{};
    std::string_view refresh_hash;
    Timestamp expires_at;
    std::optional<std::string_view> user_agent{};
    std::string_view address;

    static constexpr char sql[] =
        R"sql(INSERT INTO sessions (id, user_id, current_organization_id, refresh_hash, expires_at, user_agent, address)
VALUES ($1, $2, $3, $4, $5, $6, $7))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,         // session_id
        postgres::oid::uuid,         // user_id
        postgres::oid::uuid,         // organization_id
        postgres::oid::bytea,        // refresh_hash
        postgres::oid::timestamptz,  // expires_at
        postgres::oid::text,         // user_agent
        postgres::oid::text,         // address
    };
    static constexpr postgres::Statement statement{"identity.sign_in.create_session", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(session_id);
        parameters.add(user_id);
        parameters.add(organization_id);
        parameters.add(refresh_hash);
        parameters.add(expires_at);
        parameters.add(user_agent);
        parameters.add(address);
    }
};

struct FindSession {
    SessionId session_id;

    static constexpr char sql[] =
        R"sql(SELECT s.user_id, s.current_organization_id AS organization_id, s.refresh_hash, s.previous_refresh_hash, s.rotated_at,
       s.created_at, s.expires_at, s.revoked_at,
       EXISTS (SELECT FROM organization_members m
               WHERE m.user_id = s.user_id AND m.organization_id = s.current_organization_id) AS is_member
FROM sessions s WHERE s.id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // session_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.find_session", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId user_id;
        std::optional<OrganizationId> organization_id;
        std::string refresh_hash;
        std::optional<std::string> previous_refresh_hash;
        std::optional<Timestamp> rotated_at;
        Timestamp created_at;
        Timestamp expires_at;
        std::optional<Timestamp> revoked_at;
        bool is_member;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(session_id); }
    static Row read(postgres::RowView row) {
        return {
            .user_id = row.get<UserId>(0),
            .organization_id = row.get<std::optional<OrganizationId>>(1),
            .refresh_hash = row.get<std::string>(2),
            .previous_refresh_hash = row.get<std::optional<std::string>>(3),
            .rotated_at = row.get<std::optional<Timestamp>>(4),
            .created_at = row.get<Timestamp>(5),
            .expires_at = row.get<Timestamp>(6),
            .revoked_at = row.get<std::optional<Timestamp>>(7),
            .is_member = row.get<bool>(8),
        };
    }
};

struct RotateSession {
    std::string_view refresh_hash;
    Timestamp expires_at;
    std::string_view address;
    SessionId session_id;
    std::string_view used_hash;

    static constexpr char sql[] =
        R"sql(UPDATE sessions SET refresh_hash = $1, previous_refresh_hash = refresh_hash, rotated_at = now(),
                    last_used_at = now(), expires_at = $2, address = $3
WHERE id = $4 AND refresh_hash = $5 AND revoked_at IS NULL AND expires_at > now())sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,        // refresh_hash
        postgres::oid::timestamptz,  // expires_at
        postgres::oid::text,         // address
        postgres::oid::uuid,         // session_id
        postgres::oid::bytea,        // used_hash
    };
    static constexpr postgres::Statement statement{"identity.sign_in.rotate_session", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(refresh_hash);
        parameters.add(expires_at);
        parameters.add(address);
        parameters.add(session_id);
        parameters.add(used_hash);
    }
};

struct EnterOrganization {
    OrganizationId organization_id;
    SessionId session_id;
    UserId user_id;

    static constexpr char sql[] = R"sql(UPDATE sessions SET current_organization_id = $1, last_used_at = now()
WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL AND expires_at > now())sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::uuid,  // session_id
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.enter_organization", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(session_id);
        parameters.add(user_id);
    }
};

struct RevokeSession {
    std::string_view reason;
    SessionId session_id;
    UserId user_id;

    static constexpr char sql[] = R"sql(UPDATE sessions SET revoked_at = now(), revoked_reason = $1
WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // reason
        postgres::oid::uuid,  // session_id
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.revoke_session", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(reason);
        parameters.add(session_id);
        parameters.add(user_id);
    }
};

struct RevokeSessions {
    std::string_view reason;
    UserId user_id;
    std::optional<SessionId> except{};

    static constexpr char sql[] = R"sql(UPDATE sessions SET revoked_at = now(), revoked_reason = $1
WHERE user_id = $2 AND revoked_at IS NULL AND expires_at > now() AND ($3::uuid IS NULL OR id <> $3)
RETURNING id)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // reason
        postgres::oid::uuid,  // user_id
        postgres::oid::uuid,  // except
    };
    static constexpr postgres::Statement statement{"identity.sign_in.revoke_sessions", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        SessionId id;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(reason);
        parameters.add(user_id);
        parameters.add(except);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<SessionId>(0),
        };
    }
};

// Nobody has more than so many.
struct EndOldestSessions {
    UserId user_id;
    std::int64_t most;

    static constexpr char sql[] = R"sql(UPDATE sessions SET revoked_at = now(), revoked_reason = 'too many'
WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
             ORDER BY last_used_at DESC, id DESC OFFSET $2))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
        postgres::oid::int8,  // most
    };
    static constexpr postgres::Statement statement{"identity.sign_in.end_oldest_sessions", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(most);
    }
};

struct ListSessions {
    UserId user_id;
    Timestamp before;
    SessionId before_id;
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, user_agent, address, created_at, last_used_at, expires_at FROM sessions
WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now() AND (created_at, id) < ($2, $3)
ORDER BY created_at DESC, id DESC LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,         // user_id
        postgres::oid::timestamptz,  // before
        postgres::oid::uuid,         // before_id
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"identity.sign_in.list_sessions", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        SessionId id;
        std::optional<std::string> user_agent;
        std::optional<std::string> address;
        Timestamp created_at;
        Timestamp last_used_at;
        Timestamp expires_at;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(before);
        parameters.add(before_id);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<SessionId>(0),
            .user_agent = row.get<std::optional<std::string>>(1),
            .address = row.get<std::optional<std::string>>(2),
            .created_at = row.get<Timestamp>(3),
            .last_used_at = row.get<Timestamp>(4),
            .expires_at = row.get<Timestamp>(5),
        };
    }
};

struct ChangePassword {
    std::string_view password_hash;
    UserId user_id;

    static constexpr char sql[] = R"sql(UPDATE users SET password_hash = $1, updated_at = now() WHERE id = $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // password_hash
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.change_password", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(password_hash);
        parameters.add(user_id);
    }
};

// The same password with today's parameters, unless it was changed meanwhile.
struct RefreshPasswordHash {
    std::string_view password_hash;
    UserId user_id;
    std::string_view old_hash;

    static constexpr char sql[] = R"sql(UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // password_hash
        postgres::oid::uuid,  // user_id
        postgres::oid::text,  // old_hash
    };
    static constexpr postgres::Statement statement{"identity.sign_in.refresh_password_hash", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(password_hash);
        parameters.add(user_id);
        parameters.add(old_hash);
    }
};

struct VerifyEmail {
    UserId user_id;

    static constexpr char sql[] =
        R"sql(UPDATE users SET email_verified = true, updated_at = now() WHERE id = $1 AND NOT email_verified)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.verify_email", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(user_id); }
};

// The one before it is worth nothing any more.
struct CreateUserToken {
    UserId user_id;
    std::string_view purpose;
    std::string_view token_hash;
    Timestamp expires_at;

    static constexpr char sql[] = R"sql(WITH older AS (
    UPDATE user_tokens SET used_at = now() WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL
)
INSERT INTO user_tokens (user_id, purpose, token_hash, expires_at) VALUES ($1, $2, $3, $4))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,         // user_id
        postgres::oid::text,         // purpose
        postgres::oid::bytea,        // token_hash
        postgres::oid::timestamptz,  // expires_at
    };
    static constexpr postgres::Statement statement{"identity.sign_in.create_user_token", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(purpose);
        parameters.add(token_hash);
        parameters.add(expires_at);
    }
};

struct FindUserToken {
    std::string_view token_hash;
    std::string_view purpose;

    static constexpr char sql[] = R"sql(SELECT user_id FROM user_tokens
WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now())sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,  // token_hash
        postgres::oid::text,   // purpose
    };
    static constexpr postgres::Statement statement{"identity.sign_in.find_user_token", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId user_id;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(token_hash);
        parameters.add(purpose);
    }
    static Row read(postgres::RowView row) {
        return {
            .user_id = row.get<UserId>(0),
        };
    }
};

struct UseUserToken {
    std::string_view token_hash;
    std::string_view purpose;

    static constexpr char sql[] = R"sql(UPDATE user_tokens SET used_at = now()
WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now() RETURNING user_id)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,  // token_hash
        postgres::oid::text,   // purpose
    };
    static constexpr postgres::Statement statement{"identity.sign_in.use_user_token", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId user_id;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(token_hash);
        parameters.add(purpose);
    }
    static Row read(postgres::RowView row) {
        return {
            .user_id = row.get<UserId>(0),
        };
    }
};

struct CancelUserTokens {
    UserId user_id;
    std::string_view purpose;

    static constexpr char sql[] =
        R"sql(UPDATE user_tokens SET used_at = now() WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
        postgres::oid::text,  // purpose
    };
    static constexpr postgres::Statement statement{"identity.sign_in.cancel_user_tokens", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(purpose);
    }
};

// What a person did with their account, told to one of their organizations or, without one, to each.
struct Record {
    std::string_view action;
    std::string_view target_kind;
    std::string_view target_id;
    UserId user_id;
    std::optional<OrganizationId> organization_id{};

    static constexpr char sql[] = R"sql(INSERT INTO audit_log (organization_id, action, target_kind, target_id)
SELECT m.organization_id, $1, $2, $3 FROM organization_members m
WHERE m.user_id = $4 AND ($5::uuid IS NULL OR m.organization_id = $5)
ORDER BY m.organization_id)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // action
        postgres::oid::text,  // target_kind
        postgres::oid::text,  // target_id
        postgres::oid::uuid,  // user_id
        postgres::oid::uuid,  // organization_id
    };
    static constexpr postgres::Statement statement{"identity.sign_in.record", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(action);
        parameters.add(target_kind);
        parameters.add(target_id);
        parameters.add(user_id);
        parameters.add(organization_id);
    }
};

struct RecordBeginning {
    OrganizationId organization_id;
    std::string_view name;
    std::string_view slug;
    std::string_view owner;

    static constexpr char sql[] = R"sql(INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
VALUES ($1, 'organization.created', 'organization', ($1::uuid)::text,
        jsonb_build_object('name', $2::text, 'slug', $3::text, 'owner', $4::text)))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::text,  // name
        postgres::oid::text,  // slug
        postgres::oid::text,  // owner
    };
    static constexpr postgres::Statement statement{"identity.sign_in.record_beginning", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(name);
        parameters.add(slug);
        parameters.add(owner);
    }
};

// Each is given out once, oldest first; what stays behind has no token.
struct TakeLetters {
    static constexpr char sql[] = R"sql(WITH waiting AS (
    SELECT organization_id, id, topic, payload, created_at FROM outbox
    WHERE relayed_at IS NULL AND topic ^@ 'mail.' ORDER BY created_at, id LIMIT 100 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE outbox SET relayed_at = now(), payload = outbox.payload - 'token' FROM waiting
    WHERE outbox.organization_id = waiting.organization_id AND outbox.id = waiting.id
    RETURNING outbox.id
)
SELECT waiting.topic, waiting.payload FROM waiting JOIN taken ON taken.id = waiting.id
ORDER BY waiting.created_at, waiting.id)sql";
    static constexpr postgres::Statement statement{"identity.sign_in.take_letters", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        std::string topic;
        postgres::Json payload;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .topic = row.get<std::string>(0),
            .payload = row.get<postgres::Json>(1),
        };
    }
};

// A month after they ended, when nobody asks what became of them any more.
struct SweepSessions {
    static constexpr char sql[] =
        R"sql(DELETE FROM sessions WHERE expires_at < now() - interval '30 days' OR revoked_at < now() - interval '30 days')sql";
    static constexpr postgres::Statement statement{"identity.sign_in.sweep_sessions", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters&) const {}
};

struct SweepUserTokens {
    static constexpr char sql[] = R"sql(DELETE FROM user_tokens WHERE expires_at < now() - interval '1 day')sql";
    static constexpr postgres::Statement statement{"identity.sign_in.sweep_user_tokens", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters&) const {}
};

}  // namespace buildplan::identity::sign_in::queries
