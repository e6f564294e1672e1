#include "features/identity/tokens/key_set.hpp"

#include <fmt/core.h>

#include "core/crypto.hpp"
#include "core/text.hpp"

namespace buildplan::identity {
namespace {

bool has_come(std::optional<Timestamp> const& time, Timestamp now) noexcept { return time && *time <= now; }

}  // namespace

std::string kid_of(VerifyingKey const& key) {
    return base64url(sha256(fmt::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", base64url(key.bytes()))));
}

KnownKey const* KeySet::find(std::string_view kid, Timestamp now) const noexcept {
    for (auto const& key : keys_) {
        if (key.kid == kid) return has_come(key.expires_at, now) ? nullptr : &key;
    }
    return nullptr;
}

KnownKey const* KeySet::signer(Timestamp now) const noexcept {
    KnownKey const* best = nullptr;
    for (auto const& key : keys_) {
        if (!key.signing || key.active_from > now || has_come(key.retired_at, now)) continue;
        if (!best || best->active_from < key.active_from) best = &key;
    }
    return best;
}

std::string KeySet::jwks(Timestamp now) const {
    std::string text = R"({"keys":[)";
    for (auto const& key : keys_) {
        if (has_come(key.expires_at, now)) continue;
        if (!text.ends_with('[')) text += ',';
        text += fmt::format(R"({{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"{}","x":"{}"}})", key.kid,
                            base64url(key.verifying.bytes()));
    }
    text += "]}";
    return text;
}

}  // namespace buildplan::identity
