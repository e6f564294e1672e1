// Signing keys in PostgreSQL. Private halves are sealed under the installation's secret (api.secret) and bound to their
// kid, so that a dump of the table signs nothing. Any number of processes may call all of this at once. Throws what the
// pool throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "features/identity/tokens/key_set.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {

class KeyStore {
public:
    struct Times {
        // For how long a new key is shown in JWKS before it signs: longer than any reader keeps its copy.
        std::chrono::seconds notice{600};
        // From the last token that the old key signs until it verifies nothing.
        std::chrono::seconds farewell{20 * 60};
    };

    // `system` outlives it.
    KeyStore(postgres::SystemPool& system, std::string_view secret) : KeyStore(system, secret, Times{}) {}
    KeyStore(postgres::SystemPool& system, std::string_view secret, Times times);

    // Makes the first key when there is none that this process can sign with.
    task<KeySet> load();
    // What there is, and nothing made.
    task<KeySet> read();
    // A new key, which signs after the notice, or `at_once`. Those that sign now stop then, and verify until the last
    // of their tokens is over: nobody is logged out. Gives its kid.
    task<std::string> rotate(bool at_once = false);
    // The same when the newest is as old as that and no other is on its way; tells whether it did.
    task<bool> rotate_when_older(std::chrono::milliseconds age);
    // Removes those that verify nothing any more.
    task<std::uint64_t> sweep();

private:
    task<KeySet> read_in(postgres::SystemTx& tx);
    task<std::string> add(postgres::SystemTx& tx, Timestamp active_from);
    task<std::string> replace(postgres::SystemTx& tx, Timestamp active_from);

    postgres::SystemPool& system_;
    std::string sealing_key_;
    Times times_;
};

}  // namespace buildplan::identity
