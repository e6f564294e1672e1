// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "postgres/statement.hpp"

namespace buildplan::api::queries {

// A row comes back when the key is ours now. Waits for a transaction that has claimed it and is not over.
struct ClaimKey {
    std::string_view key;
    std::string_view fingerprint;

    static constexpr char sql[] = R"sql(INSERT INTO idempotency_keys AS kept (organization_id, key, fingerprint)
VALUES (current_setting('app.current_organization_id')::uuid, $1, $2)
ON CONFLICT (organization_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL,
    created_at = now(), expires_at = now() + interval '24 hours'
WHERE kept.expires_at <= now()
RETURNING true AS claimed)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,   // key
        postgres::oid::bytea,  // fingerprint
    };
    static constexpr postgres::Statement statement{"api.claim_key", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        bool claimed;
    };
    void bind(postgres::Parameters& parameters) const {
        parameters.add(key);
        parameters.add(fingerprint);
    }
    static Row read(postgres::RowView row) {
        return {
            .claimed = row.get<bool>(0),
        };
    }
};

struct FindAnswer {
    std::string_view key;

    static constexpr char sql[] =
        R"sql(SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE key = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // key
    };
    static constexpr postgres::Statement statement{"api.find_answer", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        std::string fingerprint;
        std::optional<std::int32_t> status;
        std::optional<postgres::Json> headers;
        std::optional<std::string> body;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(key); }
    static Row read(postgres::RowView row) {
        return {
            .fingerprint = row.get<std::string>(0),
            .status = row.get<std::optional<std::int32_t>>(1),
            .headers = row.get<std::optional<postgres::Json>>(2),
            .body = row.get<std::optional<std::string>>(3),
        };
    }
};

struct KeepAnswer {
    std::int32_t status;
    postgres::JsonView headers;
    std::string_view body;
    std::string_view key;

    static constexpr char sql[] =
        R"sql(UPDATE idempotency_keys SET status = $1, headers = $2, body = $3 WHERE key = $4)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::int4,   // status
        postgres::oid::jsonb,  // headers
        postgres::oid::bytea,  // body
        postgres::oid::text,   // key
    };
    static constexpr postgres::Statement statement{"api.keep_answer", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(status);
        parameters.add(headers);
        parameters.add(body);
        parameters.add(key);
    }
};

struct SweepKeys {
    static constexpr char sql[] = R"sql(DELETE FROM idempotency_keys WHERE expires_at < now())sql";
    static constexpr postgres::Statement statement{"api.sweep_keys", sql, {}};
    static constexpr auto cardinality = postgres::Cardinality::run;
    static constexpr bool across_tenants = true;
    using Row = void;
    void bind(postgres::Parameters&) const {}
};

}  // namespace buildplan::api::queries
