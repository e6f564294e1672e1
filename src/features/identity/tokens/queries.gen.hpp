// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"
#include "postgres/statement.hpp"

namespace buildplan::identity::tokens::queries {

// Who it is, and what they are in the organization that the token speaks for. Nothing when the session is over.
struct FindSession {
    std::optional<OrganizationId> organization_id{};
    SessionId session_id;

    static constexpr char sql[] = R"sql(SELECT s.user_id, s.expires_at, m.role,
       EXISTS (SELECT FROM organizations o WHERE o.id = m.organization_id AND o.deleted_at IS NOT NULL)
           AS organization_deleted,
       EXISTS (SELECT FROM installation_owners i WHERE i.user_id = s.user_id) AS owns_installation
FROM sessions s LEFT JOIN organization_members m ON m.organization_id = $1 AND m.user_id = s.user_id
WHERE s.id = $2 AND s.revoked_at IS NULL AND s.expires_at > now())sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // organization_id
        postgres::oid::uuid,  // session_id
    };
    static constexpr postgres::Statement statement{"identity.tokens.find_session", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
    struct Row {
        UserId user_id;
        Timestamp expires_at;
        std::optional<std::string> role;
        bool organization_deleted;
        bool owns_installation;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(organization_id);
        parameters.add(session_id);
    }
    static Row read(postgres::RowView row) {
        return {
            .user_id = row.get<UserId>(0),
            .expires_at = row.get<Timestamp>(1),
            .role = row.get<std::optional<std::string>>(2),
            .organization_deleted = row.get<bool>(3),
            .owns_installation = row.get<bool>(4),
        };
    }
};

// One row with nothing but xmin when there is none. xmin: where to go on next time.
struct RevocationsSince {
    std::int64_t since;
    std::int64_t limit;

    static constexpr char sql[] = R"sql(SELECT oldest.xmin, r.id, r.subject
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) oldest
LEFT JOIN revocations r ON r.xact >= $1
ORDER BY r.id LIMIT $2)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int8,  // since
        postgres::oid::int8,  // limit
    };
    static constexpr postgres::Statement statement{"identity.tokens.revocations_since", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        std::int64_t xmin;
        std::optional<std::int64_t> id;
        std::optional<Uuid> subject;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(since);
        parameters.add(limit);
    }
    static Row read(postgres::RowView row) {
        return {
            .xmin = row.get<std::int64_t>(0),
            .id = row.get<std::optional<std::int64_t>>(1),
            .subject = row.get<std::optional<Uuid>>(2),
        };
    }
};

struct SweepRevocations {
    static constexpr char sql[] = R"sql(DELETE FROM revocations WHERE created_at < now() - interval '1 hour')sql";
    static constexpr postgres::Statement statement{"identity.tokens.sweep_revocations", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters&) const {}
};

struct LoadKeys {
    static constexpr char sql[] =
        R"sql(SELECT kid, public_key, sealed_private_key, created_at, active_from, retired_at, expires_at FROM signing_keys
WHERE expires_at IS NULL OR expires_at > now() ORDER BY active_from, kid)sql";
    static constexpr postgres::Statement statement{"identity.tokens.load_keys", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::many;
    static constexpr bool across_tenants = true;
    struct Row {
        std::string kid;
        std::string public_key;
        std::string sealed_private_key;
        Timestamp created_at;
        Timestamp active_from;
        std::optional<Timestamp> retired_at;
        std::optional<Timestamp> expires_at;
    };
    void bind(postgres::Parameters&) const {}
    static Row read(postgres::RowView row) {
        return {
            .kid = row.get<std::string>(0),
            .public_key = row.get<std::string>(1),
            .sealed_private_key = row.get<std::string>(2),
            .created_at = row.get<Timestamp>(3),
            .active_from = row.get<Timestamp>(4),
            .retired_at = row.get<std::optional<Timestamp>>(5),
            .expires_at = row.get<std::optional<Timestamp>>(6),
        };
    }
};

// Whoever makes a key makes it alone.
struct LockKeys {
    static constexpr char sql[] =
        R"sql(SELECT true AS locked FROM pg_advisory_xact_lock(hashtextextended('signing_keys', 0)))sql";
    static constexpr postgres::Statement statement{"identity.tokens.lock_keys", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::one;
    static constexpr bool across_tenants = true;
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

struct AddKey {
    std::string_view kid;
    std::string_view public_key;
    std::string_view sealed_private_key;
    Timestamp active_from;

    static constexpr char sql[] = R"sql(INSERT INTO signing_keys (kid, public_key, sealed_private_key, active_from)
VALUES ($1, $2, $3, $4))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,         // kid
        postgres::oid::bytea,        // public_key
        postgres::oid::bytea,        // sealed_private_key
        postgres::oid::timestamptz,  // active_from
    };
    static constexpr postgres::Statement statement{"identity.tokens.add_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(kid);
        parameters.add(public_key);
        parameters.add(sealed_private_key);
        parameters.add(active_from);
    }
};

// They sign until the new one does, and verify until the last of their tokens is over.
struct RetireOtherKeys {
    Timestamp retired_at;
    Timestamp expires_at;
    std::string_view kid;

    static constexpr char sql[] = R"sql(UPDATE signing_keys SET retired_at = $1, expires_at = $2
WHERE kid <> $3 AND (retired_at IS NULL OR retired_at > $1))sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::timestamptz,  // retired_at
        postgres::oid::timestamptz,  // expires_at
        postgres::oid::text,         // kid
    };
    static constexpr postgres::Statement statement{"identity.tokens.retire_other_keys", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(retired_at);
        parameters.add(expires_at);
        parameters.add(kid);
    }
};

struct SweepKeys {
    static constexpr char sql[] = R"sql(DELETE FROM signing_keys WHERE expires_at < now())sql";
    static constexpr postgres::Statement statement{"identity.tokens.sweep_keys", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters&) const {}
};

}  // namespace buildplan::identity::tokens::queries
