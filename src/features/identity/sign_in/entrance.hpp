// Entrance: what a shard needs to let people in. One for each shard; the secret is the same on all instances.
#pragma once

#include <string>

#include "features/identity/passwords/hashing.hpp"
#include "features/identity/sign_in/attempts.hpp"
#include "features/identity/sign_in/refresh_token.hpp"
#include "runtime/gate.hpp"

namespace buildplan::identity {

class Entrance {
public:
    struct Options {
        std::string secret;
        // How many of all processes count attempts together while Redis is gone.
        unsigned shards = 1;
        // Off in tests that bring a crowd from one address.
        bool limits_attempts = true;
    };
    // `redis` may be missing.
    Entrance(Offload& offload, redis::Client* redis, Options const& options)
        : passwords(offload),
          attempts(redis, options.shards, options.limits_attempts),
          refresh_tokens(options.secret) {}

    PasswordHashing passwords;
    Attempts attempts;
    RefreshTokens refresh_tokens;
    // Held by work that nobody waits for.
    Gate behind;

    // Waits for that work; before the pools go.
    task<> close() { return behind.close(); }
};

}  // namespace buildplan::identity
