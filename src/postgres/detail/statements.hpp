// The few statements that the pools send by themselves.
#pragma once

#include <array>

#include "postgres/options.hpp"
#include "postgres/statement.hpp"
#include "postgres/transaction.hpp"

namespace buildplan::postgres::detail::statements {

inline constexpr std::array<std::uint32_t, 5> texts{oid::text, oid::text, oid::text, oid::text, oid::text};
inline constexpr std::span<std::uint32_t const> one_text{texts.data(), 1};
inline constexpr std::span<std::uint32_t const> two_texts{texts.data(), 2};
inline constexpr std::span<std::uint32_t const> four_texts{texts.data(), 4};

inline constexpr Statement begin{"begin", "BEGIN", {}};
inline constexpr Statement begin_repeatable{"begin_repeatable", "BEGIN ISOLATION LEVEL REPEATABLE READ", {}};
inline constexpr Statement begin_serializable{"begin_serializable", "BEGIN ISOLATION LEVEL SERIALIZABLE", {}};
inline constexpr Statement commit{"commit", "COMMIT", {}};
inline constexpr Statement rollback{"rollback", "ROLLBACK", {}};

// Local to the transaction: afterwards the setting is the empty string, and the policies fail.
inline constexpr Statement tenant_scope{
    "tenant_scope", "SELECT pg_catalog.set_config('app.current_organization_id', $1, true)", one_text};
inline constexpr Statement system_scope{"system_scope", "SELECT pg_catalog.set_config('app.system_work', $1, true)",
                                        one_text};
// Where a pooler stands between, nothing outlives a transaction, so the timeouts go with each.
inline constexpr Statement tenant_scope_pooled{
    "tenant_scope_pooled",
    "SELECT pg_catalog.set_config('app.current_organization_id', $1, true),"
    " pg_catalog.set_config('statement_timeout', $2, true), pg_catalog.set_config('lock_timeout', $3, true),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $4, true)",
    four_texts};
inline constexpr Statement system_scope_pooled{
    "system_scope_pooled",
    "SELECT pg_catalog.set_config('app.system_work', $1, true),"
    " pg_catalog.set_config('statement_timeout', $2, true), pg_catalog.set_config('lock_timeout', $3, true),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $4, true)",
    four_texts};

// The same, and who acts, for what is recorded in the audit log.
inline constexpr Statement tenant_scope_acting{"tenant_scope_acting",
                                               "SELECT pg_catalog.set_config('app.current_organization_id', $1, true),"
                                               " pg_catalog.set_config('app.actor', $2, true)",
                                               two_texts};
inline constexpr Statement system_scope_acting{
    "system_scope_acting",
    "SELECT pg_catalog.set_config('app.system_work', $1, true), pg_catalog.set_config('app.actor', $2, true)",
    two_texts};
inline constexpr Statement tenant_scope_acting_pooled{
    "tenant_scope_acting_pooled",
    "SELECT pg_catalog.set_config('app.current_organization_id', $1, true),"
    " pg_catalog.set_config('app.actor', $2, true),"
    " pg_catalog.set_config('statement_timeout', $3, true), pg_catalog.set_config('lock_timeout', $4, true),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $5, true)",
    texts};
inline constexpr Statement system_scope_acting_pooled{
    "system_scope_acting_pooled",
    "SELECT pg_catalog.set_config('app.system_work', $1, true),"
    " pg_catalog.set_config('app.actor', $2, true),"
    " pg_catalog.set_config('statement_timeout', $3, true), pg_catalog.set_config('lock_timeout', $4, true),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $5, true)",
    texts};

// A row when the role is not held by row-level security.
inline constexpr Statement bypasses_row_security{
    "bypasses_row_security",
    "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)",
    {}};
inline constexpr Statement ping{"ping", "SELECT 1", {}};

constexpr Statement const& begin_with(Isolation isolation) noexcept {
    switch (isolation) {
        case Isolation::repeatable_read:
            return begin_repeatable;
        case Isolation::serializable:
            return begin_serializable;
        case Isolation::read_committed:
            break;
    }
    return begin;
}

}  // namespace buildplan::postgres::detail::statements
