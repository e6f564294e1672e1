// Revocations: that a session, a user's sessions, an API key or a membership is not what it was. Whatever changes one
// of them is noted by a trigger in the same transaction (table revocations), so nobody can forget to; every instance
// reads the notes several times a second and drops what it keeps of that subject. `announce_revoked` only makes it
// quicker: at once here, and as soon as Redis tells the others.
#pragma once

#include <vector>

#include "api/shard.hpp"
#include "api/tx.hpp"
#include "core/uuid.hpp"

namespace buildplan::identity {

// `subjects`: ids of sessions, users, API keys or organizations, all alike: ids are unique across kinds. After the
// change is committed. Never throws.
void announce_revoked(api::Shard& shard, std::vector<Uuid> subjects) noexcept;

// The same for a writing handler: when its transaction is committed.
void announce_when_committed(api::Tx& tx, api::Shard& shard, std::vector<Uuid> subjects);

}  // namespace buildplan::identity
