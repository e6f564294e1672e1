// KeySet: the keys of this installation for access tokens, as one shard knows them: which one signs now, which ones
// verify, and what the world is shown of them (JWKS, RFC 7517 and RFC 8037). Never changed, only replaced.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ed25519.hpp"
#include "core/time.hpp"

namespace buildplan::identity {

struct KnownKey {
    std::string kid;
    VerifyingKey verifying;
    std::optional<SigningKey> signing;  // nothing where the private half cannot be opened with this process's secret
    Timestamp created_at;
    Timestamp active_from;
    std::optional<Timestamp> retired_at;  // from then on it signs nothing
    std::optional<Timestamp> expires_at;  // from then on it verifies nothing
};

// The key's name: its thumbprint (RFC 7638).
std::string kid_of(VerifyingKey const& key);

class KeySet {
public:
    KeySet() = default;
    explicit KeySet(std::vector<KnownKey> keys) : keys_(std::move(keys)) {}

    // For verifying.
    [[nodiscard]] KnownKey const* find(std::string_view kid, Timestamp now) const noexcept;
    // The newest that may sign now.
    [[nodiscard]] KnownKey const* signer(Timestamp now) const noexcept;
    // All that verify now or will: also the key that is to sign next, so that everybody knows it by then.
    [[nodiscard]] std::string jwks(Timestamp now) const;
    [[nodiscard]] std::vector<KnownKey> const& keys() const noexcept { return keys_; }

private:
    std::vector<KnownKey> keys_;
};

}  // namespace buildplan::identity
