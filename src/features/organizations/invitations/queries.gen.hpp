// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "features/organizations/invitations/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::organizations::invitations::queries {

struct InvitedRow {
    InvitationId id;
    std::string email;
    std::string role;
    std::optional<UserId> invited_by;
    Timestamp created_at;
    Timestamp expires_at;
    std::optional<Timestamp> sent_at;
    std::int32_t sent_count;
    std::optional<Timestamp> accepted_at;
    std::optional<Timestamp> revoked_at;
    std::int32_t version;
    bool is_member;
    bool is_full;
    bool actor_holds;
    bool actor_verified;
    bool made;
};

// One that expired gives way to the new one. `made` false: the person is a member, too many invitations are open, or
// whoever asks has another role by now
// or has not shown that their own address is theirs.
struct Invite {
    std::optional<std::string_view> actor_role{};
    std::optional<UserId> actor{};
    std::string_view email;
    std::int64_t most_open;
    InvitationId id;
    std::string_view role;
    std::string_view token_hash;
    Timestamp expires_at;
    std::string_view token;

    static constexpr char sql[] = R"sql(WITH actor AS (
    SELECT $1::text IS NULL OR EXISTS (
        SELECT FROM organization_members WHERE user_id = $2 AND role = $1) AS holds,
        $2::uuid IS NULL OR EXISTS (SELECT FROM users WHERE id = $2 AND email_verified) AS verified
), facts AS (
    SELECT EXISTS (SELECT FROM organization_members m JOIN users u ON u.id = m.user_id
                   WHERE u.email_lc = lower($3)) AS is_member,
           (SELECT count(*) FROM (SELECT FROM invitations WHERE accepted_at IS NULL AND revoked_at IS NULL
                                    AND expires_at > now() LIMIT $4) o) >= $4 AS is_full
), expired AS (
    UPDATE invitations SET revoked_at = now(), version = version + 1
    WHERE email_lc = lower($3) AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at <= now()
    RETURNING id
), made AS (
    INSERT INTO invitations (organization_id, id, email, role, token_hash, invited_by, expires_at, sent_at, sent_count)
    SELECT current_setting('app.current_organization_id')::uuid, $5, $3, $6, $7, $2, $8,
           now(), 1
    FROM facts, actor, (SELECT count(*) FROM expired) first
    WHERE NOT facts.is_member AND NOT facts.is_full AND actor.holds AND actor.verified
    RETURNING organization_id, id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, version
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT made.organization_id, 'mail.invitation',
           jsonb_build_object('invitationId', made.id, 'to', made.email, 'role', made.role, 'token', $9::text,
                              'expiresAt', api_time(made.expires_at), 'organizationName', o.name, 'invitedBy', u.name)
    FROM made JOIN organizations o ON o.id = made.organization_id LEFT JOIN users u ON u.id = made.invited_by
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'invitation.created', 'invitation', id::text,
           jsonb_build_object('email', email, 'role', role, 'expiresAt', api_time(expires_at)) FROM made
)
SELECT coalesce(made.id, $5) AS id, coalesce(made.email, $3) AS email, coalesce(made.role, $6) AS role,
       made.invited_by, coalesce(made.created_at, now()) AS created_at, coalesce(made.expires_at, now()) AS expires_at,
       made.sent_at, coalesce(made.sent_count, 0) AS sent_count, NULL::timestamptz AS accepted_at,
       NULL::timestamptz AS revoked_at, coalesce(made.version, 0) AS version, facts.is_member, facts.is_full,
       actor.holds AS actor_holds, actor.verified AS actor_verified, made.id IS NOT NULL AS made
FROM facts CROSS JOIN actor LEFT JOIN made ON true)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,         // actor_role
        postgres::oid::uuid,         // actor
        postgres::oid::text,         // email
        postgres::oid::int8,         // most_open
        postgres::oid::uuid,         // id
        postgres::oid::text,         // role
        postgres::oid::bytea,        // token_hash
        postgres::oid::timestamptz,  // expires_at
        postgres::oid::text,         // token
    };
    static constexpr postgres::Statement statement{"organizations.invitations.invite", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = InvitedRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(actor_role);
        parameters.add(actor);
        parameters.add(email);
        parameters.add(most_open);
        parameters.add(id);
        parameters.add(role);
        parameters.add(token_hash);
        parameters.add(expires_at);
        parameters.add(token);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<InvitationId>(0),
            .email = row.get<std::string>(1),
            .role = row.get<std::string>(2),
            .invited_by = row.get<std::optional<UserId>>(3),
            .created_at = row.get<Timestamp>(4),
            .expires_at = row.get<Timestamp>(5),
            .sent_at = row.get<std::optional<Timestamp>>(6),
            .sent_count = row.get<std::int32_t>(7),
            .accepted_at = row.get<std::optional<Timestamp>>(8),
            .revoked_at = row.get<std::optional<Timestamp>>(9),
            .version = row.get<std::int32_t>(10),
            .is_member = row.get<bool>(11),
            .is_full = row.get<bool>(12),
            .actor_holds = row.get<bool>(13),
            .actor_verified = row.get<bool>(14),
            .made = row.get<bool>(15),
        };
    }
};

struct InvitationRow {
    InvitationId id;
    std::string email;
    std::string role;
    std::optional<UserId> invited_by;
    Timestamp created_at;
    Timestamp expires_at;
    std::optional<Timestamp> sent_at;
    std::int32_t sent_count;
    std::optional<Timestamp> accepted_at;
    std::optional<Timestamp> revoked_at;
    std::int32_t version;
};

struct GetInvitation {
    InvitationId id;

    static constexpr char sql[] =
        R"sql(SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations WHERE id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.invitations.get_invitation", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = InvitationRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<InvitationId>(0),
            .email = row.get<std::string>(1),
            .role = row.get<std::string>(2),
            .invited_by = row.get<std::optional<UserId>>(3),
            .created_at = row.get<Timestamp>(4),
            .expires_at = row.get<Timestamp>(5),
            .sent_at = row.get<std::optional<Timestamp>>(6),
            .sent_count = row.get<std::int32_t>(7),
            .accepted_at = row.get<std::optional<Timestamp>>(8),
            .revoked_at = row.get<std::optional<Timestamp>>(9),
            .version = row.get<std::int32_t>(10),
        };
    }
};

struct LockInvitation {
    InvitationId id;

    static constexpr char sql[] =
        R"sql(SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations WHERE id = $1 FOR NO KEY UPDATE)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.invitations.lock_invitation", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = InvitationRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<InvitationId>(0),
            .email = row.get<std::string>(1),
            .role = row.get<std::string>(2),
            .invited_by = row.get<std::optional<UserId>>(3),
            .created_at = row.get<Timestamp>(4),
            .expires_at = row.get<Timestamp>(5),
            .sent_at = row.get<std::optional<Timestamp>>(6),
            .sent_count = row.get<std::int32_t>(7),
            .accepted_at = row.get<std::optional<Timestamp>>(8),
            .revoked_at = row.get<std::optional<Timestamp>>(9),
            .version = row.get<std::int32_t>(10),
        };
    }
};

struct ListNewest {
    Timestamp before;
    InvitationId before_id;
    std::optional<std::string_view> state{};
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations
WHERE (created_at, id) < ($1, $2)
  AND ($3::text IS NULL
       OR $3 = CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked'
                         WHEN expires_at <= now() THEN 'expired' ELSE 'open' END)
ORDER BY created_at DESC, id DESC LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // before
        postgres::oid::uuid,         // before_id
        postgres::oid::text,         // state
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"organizations.invitations.list_newest", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = InvitationRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(before);
        parameters.add(before_id);
        parameters.add(state);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<InvitationId>(0),
            .email = row.get<std::string>(1),
            .role = row.get<std::string>(2),
            .invited_by = row.get<std::optional<UserId>>(3),
            .created_at = row.get<Timestamp>(4),
            .expires_at = row.get<Timestamp>(5),
            .sent_at = row.get<std::optional<Timestamp>>(6),
            .sent_count = row.get<std::int32_t>(7),
            .accepted_at = row.get<std::optional<Timestamp>>(8),
            .revoked_at = row.get<std::optional<Timestamp>>(9),
            .version = row.get<std::int32_t>(10),
        };
    }
};

struct ListOldest {
    Timestamp after;
    InvitationId after_id;
    std::optional<std::string_view> state{};
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM invitations
WHERE (created_at, id) > ($1, $2)
  AND ($3::text IS NULL
       OR $3 = CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked'
                         WHEN expires_at <= now() THEN 'expired' ELSE 'open' END)
ORDER BY created_at, id LIMIT $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // after
        postgres::oid::uuid,         // after_id
        postgres::oid::text,         // state
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"organizations.invitations.list_oldest", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = InvitationRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after);
        parameters.add(after_id);
        parameters.add(state);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<InvitationId>(0),
            .email = row.get<std::string>(1),
            .role = row.get<std::string>(2),
            .invited_by = row.get<std::optional<UserId>>(3),
            .created_at = row.get<Timestamp>(4),
            .expires_at = row.get<Timestamp>(5),
            .sent_at = row.get<std::optional<Timestamp>>(6),
            .sent_count = row.get<std::int32_t>(7),
            .accepted_at = row.get<std::optional<Timestamp>>(8),
            .revoked_at = row.get<std::optional<Timestamp>>(9),
            .version = row.get<std::int32_t>(10),
        };
    }
};

// With a new token; the one before it is worth nothing any more. Nothing where it is not open to that.
struct Resend {
    std::string_view token_hash;
    Timestamp expires_at;
    InvitationId id;
    std::int32_t most_sent;
    std::string_view token;

    static constexpr char sql[] = R"sql(WITH sent AS (
    UPDATE invitations SET token_hash = $1, expires_at = $2, sent_at = now(),
                           sent_count = sent_count + 1, version = version + 1
    WHERE id = $3 AND accepted_at IS NULL AND revoked_at IS NULL AND sent_count < $4
    RETURNING organization_id, id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at,
              revoked_at, version
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT sent.organization_id, 'mail.invitation',
           jsonb_build_object('invitationId', sent.id, 'to', sent.email, 'role', sent.role, 'token', $5::text,
                              'expiresAt', api_time(sent.expires_at), 'organizationName', o.name, 'invitedBy', u.name)
    FROM sent JOIN organizations o ON o.id = sent.organization_id LEFT JOIN users u ON u.id = sent.invited_by
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'invitation.sent_again', 'invitation', id::text,
           jsonb_build_object('email', email, 'role', role, 'expiresAt', api_time(expires_at)) FROM sent
)
SELECT id, email, role, invited_by, created_at, expires_at, sent_at, sent_count, accepted_at, revoked_at, version
FROM sent)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,        // token_hash
        postgres::oid::timestamptz,  // expires_at
        postgres::oid::uuid,         // id
        postgres::oid::int4,         // most_sent
        postgres::oid::text,         // token
    };
    static constexpr postgres::Statement statement{"organizations.invitations.resend", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = InvitationRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(token_hash);
        parameters.add(expires_at);
        parameters.add(id);
        parameters.add(most_sent);
        parameters.add(token);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<InvitationId>(0),
            .email = row.get<std::string>(1),
            .role = row.get<std::string>(2),
            .invited_by = row.get<std::optional<UserId>>(3),
            .created_at = row.get<Timestamp>(4),
            .expires_at = row.get<Timestamp>(5),
            .sent_at = row.get<std::optional<Timestamp>>(6),
            .sent_count = row.get<std::int32_t>(7),
            .accepted_at = row.get<std::optional<Timestamp>>(8),
            .revoked_at = row.get<std::optional<Timestamp>>(9),
            .version = row.get<std::int32_t>(10),
        };
    }
};

struct Revoke {
    InvitationId id;

    static constexpr char sql[] = R"sql(WITH revoked AS (
    UPDATE invitations SET revoked_at = now(), version = version + 1
    WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL
    RETURNING organization_id, id, email, role
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'invitation.revoked', jsonb_build_object('invitationId', id) FROM revoked
)
INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
SELECT organization_id, 'invitation.revoked', 'invitation', id::text, jsonb_build_object('email', email, 'role', role)
FROM revoked)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.invitations.revoke", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
};

struct FindByToken {
    std::string_view token_hash;

    static constexpr char sql[] =
        R"sql(SELECT i.id, i.email_lc, i.expires_at <= now() AS is_expired, i.accepted_at, i.revoked_at, o.deleted_at
FROM invitations i JOIN organizations o ON o.id = i.organization_id WHERE i.token_hash = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::bytea,  // token_hash
    };
    static constexpr postgres::Statement statement{"organizations.invitations.find_by_token", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        InvitationId id;
        std::string email_lc;
        bool is_expired;
        std::optional<Timestamp> accepted_at;
        std::optional<Timestamp> revoked_at;
        std::optional<Timestamp> deleted_at;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(token_hash); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<InvitationId>(0),
            .email_lc = row.get<std::string>(1),
            .is_expired = row.get<bool>(2),
            .accepted_at = row.get<std::optional<Timestamp>>(3),
            .revoked_at = row.get<std::optional<Timestamp>>(4),
            .deleted_at = row.get<std::optional<Timestamp>>(5),
        };
    }
};

struct FindPerson {
    UserId user_id;

    static constexpr char sql[] = R"sql(SELECT email_lc, email_verified FROM users WHERE id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"organizations.invitations.find_person", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        std::string email_lc;
        bool email_verified;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(user_id); }
    static Row read(postgres::RowView row) {
        return {
            .email_lc = row.get<std::string>(0),
            .email_verified = row.get<bool>(1),
        };
    }
};

// Nothing where somebody else was quicker. Who is a member already stays what they are.
struct Accept {
    UserId user_id;
    std::string_view token_hash;
    std::string_view email_lc;

    static constexpr char sql[] = R"sql(WITH accepted AS (
    UPDATE invitations SET accepted_at = now(), accepted_by = $1, version = version + 1
    WHERE token_hash = $2 AND email_lc = $3
      AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()
    RETURNING organization_id, id, role
), joined AS (
    INSERT INTO organization_members (organization_id, user_id, role)
    SELECT organization_id, $1, role FROM accepted
    ON CONFLICT (organization_id, user_id) DO NOTHING RETURNING organization_id, id, role
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT a.organization_id, 'member.joined',
           jsonb_build_object('memberId', j.id, 'userId', $1::uuid, 'role', j.role, 'invitationId', a.id)
    FROM accepted a JOIN joined j ON j.organization_id = a.organization_id
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, after)
    SELECT organization_id, 'invitation.accepted', 'invitation', id::text,
           jsonb_build_object('userId', $1::uuid, 'role', role) FROM accepted
)
SELECT a.organization_id, o.name, o.slug, coalesce(j.role, m.role) AS role
FROM accepted a JOIN organizations o ON o.id = a.organization_id
LEFT JOIN joined j ON j.organization_id = a.organization_id
LEFT JOIN organization_members m ON m.organization_id = a.organization_id AND m.user_id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,   // user_id
        postgres::oid::bytea,  // token_hash
        postgres::oid::text,   // email_lc
    };
    static constexpr postgres::Statement statement{"organizations.invitations.accept", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        OrganizationId organization_id;
        std::string name;
        std::string slug;
        std::string role;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(user_id);
        parameters.add(token_hash);
        parameters.add(email_lc);
    }
    static Row read(postgres::RowView row) {
        return {
            .organization_id = row.get<OrganizationId>(0),
            .name = row.get<std::string>(1),
            .slug = row.get<std::string>(2),
            .role = row.get<std::string>(3),
        };
    }
};

}  // namespace buildplan::organizations::invitations::queries
