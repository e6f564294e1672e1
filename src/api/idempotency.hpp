// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a POST that is sent again with the same key does nothing
// again and gets the first one's answer. The key's row, the effect and the answer are one transaction, so there is no
// moment at which one is there without the others, whatever crashes. Keys belong to an organization and live 24 hours.
//   * A twin that comes while the first is at work waits for it, bounded by the lock timeout of the connection, then
//     409 `idempotency-in-progress`.
//   * The same key with another request (method, path, query, body, caller) is a 409 `idempotency-key-reused`.
//   * The answer of a route that says api::shows_secret is kept sealed (core/sealed.hpp).
//   * Only answers below 400 are kept: after an error nothing was done, and a repeat is tried afresh.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/call.hpp"
#include "net/response.hpp"
#include "postgres/pool.hpp"
#include "runtime/task.hpp"

namespace buildplan::api {

struct IdempotencyKey {
    std::string key;
    std::string fingerprint;       // SHA-256 of what is asked for, and by whom
    std::string_view sealing_key;  // empty: the answer is no secret
    std::string bound_to;          // the row that the answer belongs to
};

// The key in a header: 1 to 255 visible ASCII characters, bare or as a structured field string (RFC 8941 section
// 3.3.3). Nothing for what is neither.
std::optional<std::string> parse_idempotency_key(std::string_view header);

// Nothing without the header. Throws 400 `invalid-idempotency-key`.
std::optional<IdempotencyKey> read_idempotency_key(Call const& call);

// Takes the key for this transaction, or gives the answer that it already has. Throws the two 409s.
task<std::optional<net::Response>> claim(postgres::TenantTx& tx, IdempotencyKey const& key);

// Keeps the answer with the key and commits.
task<> keep_and_commit(postgres::TenantTx& tx, IdempotencyKey const& key, net::Response const& response);

// Deletes what has expired; returns how many. Called now and then by one task of the process.
task<std::uint64_t> sweep_idempotency_keys(postgres::SystemPool& system);

}  // namespace buildplan::api
