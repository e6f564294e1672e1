// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "features/organizations/members/types.hpp"
#include "postgres/statement.hpp"

namespace buildplan::organizations::members::queries {

// Who may do what is settled one change after another; the same lock as keep_an_owner's (migrations/0006).
struct LockMembers {
    static constexpr char sql[] = R"sql(SELECT true AS locked FROM pg_advisory_xact_lock(hashtextextended(
    'organization_members.owner ' || current_setting('app.current_organization_id')::uuid, 0)))sql";
    static constexpr postgres::Statement statement{"organizations.members.lock_members", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        bool locked;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .locked = row.get<bool>(0),
        };
    }
};

struct MemberRow {
    MemberId id;
    UserId user_id;
    std::string name;
    std::string email;
    std::string role;
    std::int32_t version;
    Timestamp created_at;
    Timestamp updated_at;
};

struct GetMember {
    MemberId id;

    static constexpr char sql[] =
        R"sql(SELECT m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at
FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.members.get_member", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = MemberRow;
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<MemberId>(0),
            .user_id = row.get<UserId>(1),
            .name = row.get<std::string>(2),
            .email = row.get<std::string>(3),
            .role = row.get<std::string>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

// The one filter that no index serves is a prefix, in lower case, of the name or the address.
struct ListNewest {
    Timestamp before;
    MemberId before_id;
    std::optional<std::string_view> role{};
    std::optional<std::string_view> prefix{};
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at
FROM organization_members m JOIN users u ON u.id = m.user_id
WHERE (m.created_at, m.id) < ($1, $2) AND ($3::text IS NULL OR m.role = $3)
  AND ($4::text IS NULL OR starts_with(lower(u.name), $4) OR starts_with(u.email_lc, $4))
ORDER BY m.created_at DESC, m.id DESC LIMIT $5)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // before
        postgres::oid::uuid,         // before_id
        postgres::oid::text,         // role
        postgres::oid::text,         // prefix
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"organizations.members.list_newest", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = MemberRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(before);
        parameters.add(before_id);
        parameters.add(role);
        parameters.add(prefix);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<MemberId>(0),
            .user_id = row.get<UserId>(1),
            .name = row.get<std::string>(2),
            .email = row.get<std::string>(3),
            .role = row.get<std::string>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

struct ListOldest {
    Timestamp after;
    MemberId after_id;
    std::optional<std::string_view> role{};
    std::optional<std::string_view> prefix{};
    std::int64_t limit;

    static constexpr char sql[] =
        R"sql(SELECT m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at
FROM organization_members m JOIN users u ON u.id = m.user_id
WHERE (m.created_at, m.id) > ($1, $2) AND ($3::text IS NULL OR m.role = $3)
  AND ($4::text IS NULL OR starts_with(lower(u.name), $4) OR starts_with(u.email_lc, $4))
ORDER BY m.created_at, m.id LIMIT $5)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // after
        postgres::oid::uuid,         // after_id
        postgres::oid::text,         // role
        postgres::oid::text,         // prefix
        postgres::oid::int8,         // limit
    };
    static constexpr postgres::Statement statement{"organizations.members.list_oldest", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    using Row = MemberRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(after);
        parameters.add(after_id);
        parameters.add(role);
        parameters.add(prefix);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<MemberId>(0),
            .user_id = row.get<UserId>(1),
            .name = row.get<std::string>(2),
            .email = row.get<std::string>(3),
            .role = row.get<std::string>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

struct ChangedRow {
    bool changed;
    MemberId id;
    UserId user_id;
    std::string name;
    std::string email;
    std::string role;
    std::int32_t version;
    Timestamp created_at;
    Timestamp updated_at;
    bool actor_holds;
};

// `changed` false: the member is as it was, because it has that role already, or is in none of the versions or roles
// that may be changed, or whoever asks has another role by now. Invitations that the member could not send any more
// are taken back.
struct ChangeRole {
    std::optional<std::string_view> actor_role{};
    std::optional<UserId> actor{};
    MemberId id;
    std::string_view role;
    std::span<std::string const> grantable;
    bool any_version;
    std::span<std::int64_t const> versions;
    std::span<std::string const> still_grants;

    static constexpr char sql[] = R"sql(WITH actor AS (
    SELECT $1::text IS NULL OR EXISTS (
        SELECT FROM organization_members WHERE user_id = $2 AND role = $1) AS holds
), was AS (
    SELECT m.id, m.role, m.version FROM organization_members m WHERE m.id = $3
), changed AS (
    UPDATE organization_members m SET role = $4, version = m.version + 1, updated_at = now()
    FROM was, actor
    WHERE m.id = was.id AND actor.holds AND was.role = ANY ($5::text[]) AND was.role <> $4
      AND ($6 OR was.version = ANY ($7::bigint[]))
    RETURNING m.organization_id, m.id, m.user_id, m.role, m.version, m.created_at, m.updated_at
), withdrawn AS (
    UPDATE invitations i SET revoked_at = now(), version = i.version + 1 FROM changed c
    WHERE i.invited_by = c.user_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL
      AND i.role <> ALL ($8::text[])
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT c.organization_id, 'member.role_changed',
           jsonb_build_object('memberId', c.id, 'userId', c.user_id, 'role', c.role, 'was', was.role) FROM changed c, was
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT c.organization_id, 'member.role_changed', 'member', c.id::text,
           jsonb_build_object('userId', c.user_id, 'role', was.role), jsonb_build_object('userId', c.user_id, 'role', c.role)
    FROM changed c, was
)
SELECT true AS changed, c.id, c.user_id, u.name, u.email, c.role, c.version, c.created_at, c.updated_at,
       true AS actor_holds
FROM changed c JOIN users u ON u.id = c.user_id
UNION ALL
SELECT false, m.id, m.user_id, u.name, u.email, m.role, m.version, m.created_at, m.updated_at, actor.holds
FROM organization_members m JOIN users u ON u.id = m.user_id, actor
WHERE m.id = $3 AND NOT EXISTS (SELECT FROM changed))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,        // actor_role
        postgres::oid::uuid,        // actor
        postgres::oid::uuid,        // id
        postgres::oid::text,        // role
        postgres::oid::text_array,  // grantable
        postgres::oid::boolean,     // any_version
        postgres::oid::int8_array,  // versions
        postgres::oid::text_array,  // still_grants
    };
    static constexpr postgres::Statement statement{"organizations.members.change_role", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    using Row = ChangedRow;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(actor_role);
        parameters.add(actor);
        parameters.add(id);
        parameters.add(role);
        parameters.add(grantable);
        parameters.add(any_version);
        parameters.add(versions);
        parameters.add(still_grants);
    }
    static Row read(postgres::RowView row) {
        return {
            .changed = row.get<bool>(0),
            .id = row.get<MemberId>(1),
            .user_id = row.get<UserId>(2),
            .name = row.get<std::string>(3),
            .email = row.get<std::string>(4),
            .role = row.get<std::string>(5),
            .version = row.get<std::int32_t>(6),
            .created_at = row.get<Timestamp>(7),
            .updated_at = row.get<Timestamp>(8),
            .actor_holds = row.get<bool>(9),
        };
    }
};

// `removed` false: as for change_role. What they invited is taken back; their own keys go with the membership.
struct RemoveMember {
    std::optional<std::string_view> actor_role{};
    std::optional<UserId> actor{};
    MemberId id;
    std::span<std::string const> grantable;
    bool any_version;
    std::span<std::int64_t const> versions;

    static constexpr char sql[] = R"sql(WITH actor AS (
    SELECT $1::text IS NULL OR EXISTS (
        SELECT FROM organization_members WHERE user_id = $2 AND role = $1) AS holds
), was AS (
    SELECT m.id, m.user_id, m.role, m.version, u.email FROM organization_members m JOIN users u ON u.id = m.user_id
    WHERE m.id = $3
), gone AS (
    DELETE FROM organization_members m USING was, actor
    WHERE m.id = was.id AND actor.holds AND was.role = ANY ($4::text[])
      AND ($5 OR was.version = ANY ($6::bigint[]))
    RETURNING m.organization_id, m.id, m.user_id, m.role
), withdrawn AS (
    UPDATE invitations i SET revoked_at = now(), version = i.version + 1 FROM gone
    WHERE i.invited_by = gone.user_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'member.removed', jsonb_build_object('memberId', id, 'userId', user_id) FROM gone
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
    SELECT gone.organization_id, 'member.removed', 'member', gone.id::text,
           jsonb_build_object('userId', gone.user_id, 'email', was.email, 'role', gone.role) FROM gone, was
)
SELECT EXISTS (SELECT FROM gone) AS removed, was.user_id, was.role, was.version, actor.holds AS actor_holds
FROM was, actor)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,        // actor_role
        postgres::oid::uuid,        // actor
        postgres::oid::uuid,        // id
        postgres::oid::text_array,  // grantable
        postgres::oid::boolean,     // any_version
        postgres::oid::int8_array,  // versions
    };
    static constexpr postgres::Statement statement{"organizations.members.remove_member", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        bool removed;
        UserId user_id;
        std::string role;
        std::int32_t version;
        bool actor_holds;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(actor_role);
        parameters.add(actor);
        parameters.add(id);
        parameters.add(grantable);
        parameters.add(any_version);
        parameters.add(versions);
    }
    static Row read(postgres::RowView row) {
        return {
            .removed = row.get<bool>(0),
            .user_id = row.get<UserId>(1),
            .role = row.get<std::string>(2),
            .version = row.get<std::int32_t>(3),
            .actor_holds = row.get<bool>(4),
        };
    }
};

struct Leave {
    UserId user_id;

    static constexpr char sql[] = R"sql(WITH gone AS (
    DELETE FROM organization_members WHERE user_id = $1 RETURNING organization_id, id, user_id, role
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT organization_id, 'member.left', jsonb_build_object('memberId', id, 'userId', user_id) FROM gone
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before)
    SELECT organization_id, 'member.left', 'member', id::text, jsonb_build_object('userId', user_id, 'role', role)
    FROM gone
)
SELECT id FROM gone)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // user_id
    };
    static constexpr postgres::Statement statement{"organizations.members.leave", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        MemberId id;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(user_id); }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<MemberId>(0),
        };
    }
};

// From an owner to another member; who gives it away stays as ADMIN. Nothing where they are none (any more), or the
// other one is not there.
struct TransferOwnership {
    UserId actor;
    MemberId id;

    static constexpr char sql[] = R"sql(WITH giver AS (
    SELECT id, user_id FROM organization_members WHERE user_id = $1 AND role = 'OWNER'
), target AS (
    SELECT m.id, m.role FROM organization_members m, giver WHERE m.id = $2 AND m.id <> giver.id
), raised AS (
    UPDATE organization_members m SET role = 'OWNER', version = m.version + 1, updated_at = now()
    FROM target WHERE m.id = target.id
    RETURNING m.organization_id, m.id, m.user_id, m.role, m.version, m.created_at, m.updated_at
), lowered AS (
    UPDATE organization_members m SET role = 'ADMIN', version = m.version + 1, updated_at = now()
    FROM giver, raised WHERE m.id = giver.id
), withdrawn AS (
    UPDATE invitations i SET revoked_at = now(), version = i.version + 1 FROM giver, raised
    WHERE i.invited_by = giver.user_id AND i.role = 'OWNER' AND i.accepted_at IS NULL AND i.revoked_at IS NULL
), event AS (
    INSERT INTO outbox (organization_id, topic, payload)
    SELECT r.organization_id, 'organization.ownership_transferred',
           jsonb_build_object('from', giver.user_id, 'to', r.user_id) FROM raised r, giver
), record AS (
    INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after)
    SELECT r.organization_id, 'organization.ownership_transferred', 'organization', r.organization_id::text,
           jsonb_build_object('owner', giver.user_id), jsonb_build_object('owner', r.user_id) FROM raised r, giver
)
SELECT r.id, r.user_id, u.name, u.email, r.role, r.version, r.created_at, r.updated_at
FROM raised r JOIN users u ON u.id = r.user_id)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // actor
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"organizations.members.transfer_ownership", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        MemberId id;
        UserId user_id;
        std::string name;
        std::string email;
        std::string role;
        std::int32_t version;
        Timestamp created_at;
        Timestamp updated_at;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(actor);
        parameters.add(id);
    }
    static Row read(postgres::RowView row) {
        return {
            .id = row.get<MemberId>(0),
            .user_id = row.get<UserId>(1),
            .name = row.get<std::string>(2),
            .email = row.get<std::string>(3),
            .role = row.get<std::string>(4),
            .version = row.get<std::int32_t>(5),
            .created_at = row.get<Timestamp>(6),
            .updated_at = row.get<Timestamp>(7),
        };
    }
};

}  // namespace buildplan::organizations::members::queries
