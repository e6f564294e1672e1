// The chain of an organization's audit log, computed again: what migrations/0006 (audit_chain) did when each entry was
// written. An entry's hash is SHA-256 over PostgreSQL's binary form of the record
//
//     (organization_id uuid, id uuid, seq int8, at timestamptz, actor_kind, actor_id uuid, actor_name, action,
//      target_kind, target_id, before, after, address, request_id, previous_hash bytea)
//
// where the fields without a type are bytea: the UTF-8 bytes of a text, of a jsonb's text. That form is: the number of
// fields (4 bytes, big-endian, as all numbers), then for each the OID of its type (4), its length (4; ffffffff and
// nothing more for NULL) and its bytes: 16 of a uuid, 8 of a number, microseconds since 2000-01-01 UTC (8) of a time.
// The first entry has 32 zero bytes for the hash before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "features/audit/queries.gen.hpp"

namespace buildplan::audit {

// 32 bytes.
std::string hash_of(queries::ChainRow const& row);

// Where a chain is broken: the entry, and in what way.
struct Break {
    std::int64_t seq = 0;
    std::string problem;
};

// Follows a chain from its first entry.
class ChainCheck {
public:
    explicit ChainCheck(OrganizationId organization) : organization_(organization) {}

    // Entries in the order of their seq. Once broken it stays so.
    void next(queries::ChainRow const& row);
    // What the head says: how many entries there are and the hash of the last one. Nothing where there is no head.
    void end(std::optional<queries::ChainHead::Row> const& head);
    // What was known of the chain before: that its entry `seq` has this hash. Before the first entry; so too a chain
    // that was made anew as a whole is found.
    void expect(std::int64_t seq, std::string hash);

    [[nodiscard]] std::int64_t entries() const noexcept { return seq_; }
    [[nodiscard]] std::string_view hash() const noexcept { return hash_; }
    [[nodiscard]] std::optional<Break> const& broken() const noexcept { return broken_; }

private:
    void fail(std::int64_t seq, std::string problem);

    OrganizationId organization_;
    std::int64_t seq_ = 0;
    std::string hash_ = std::string(32, '\0');
    std::string previous_hash_;
    std::optional<Break> broken_;
    std::int64_t expected_seq_ = 0;
    std::string expected_hash_;
};

}  // namespace buildplan::audit
