// Tokens: signs and verifies access tokens on one shard. Keys are read when they are first needed, again every minute,
// and, at most every few seconds, when a token names a key that is not known: so a key that another instance made a
// moment ago is known here before anybody is refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/metrics.hpp"
#include "features/identity/tokens/issuer.hpp"
#include "features/identity/tokens/jwt.hpp"
#include "features/identity/tokens/key_store.hpp"
#include "runtime/loop.hpp"

namespace buildplan::identity {

class Tokens {
public:
    struct Options {
        std::string secret = "not a secret";  // seals the keys; the same on all instances
        std::string issuer = "urn:buildplan";
        std::string audience = "urn:buildplan:api";
        std::chrono::seconds lifetime{15 * 60};
        std::chrono::seconds reread{60};         // the keys
        std::chrono::seconds reread_unknown{2};  // at least so long between two readings for unknown keys
        KeyStore::Times times{};
    };

    // Both outlive it.
    Tokens(Loop& loop, postgres::SystemPool& system, Options options);

    // Throws Problem 503 while PostgreSQL cannot be asked and no key is known.
    task<IssuedToken> issue(SessionId session, UserId user, std::optional<OrganizationId> organization);
    // Nothing for what is no token of ours that is good now.
    task<std::optional<Claims>> verify(std::string token);
    task<std::string> jwks();

private:
    task<std::shared_ptr<KeySet const>> keys();
    task<> reread();

    using Clock = std::chrono::steady_clock;

    Loop& loop_;
    KeyStore store_;
    Options options_;
    std::shared_ptr<KeySet const> keys_;
    Clock::time_point read_at_{}, tried_at_{};
};

}  // namespace buildplan::identity
