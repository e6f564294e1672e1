#include "features/identity/revocations.hpp"

#include "api/authenticator.hpp"
#include "features/identity/tokens/revocation_feed.hpp"
#include "redis/client.hpp"

namespace buildplan::identity {

void announce_revoked(api::Shard& shard, std::vector<Uuid> subjects) noexcept {
    try {
        std::string text;
        for (auto const& subject : subjects) {
            shard.authenticator.forget(subject);
            if (!text.empty()) text += ' ';
            text += subject.to_string();
        }
        if (shard.redis) shard.redis->send(redis::Command("PUBLISH", revocations_channel, text));
    } catch (std::exception const&) {
        // The notes in PostgreSQL tell everybody a moment later.
    }
}

void announce_when_committed(api::Tx& tx, api::Shard& shard, std::vector<Uuid> subjects) {
    tx.after_commit([&shard, subjects = std::move(subjects)] { announce_revoked(shard, subjects); });
}

}  // namespace buildplan::identity
