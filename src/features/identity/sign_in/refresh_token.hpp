// Refresh tokens: `bp_ref_` and 64 bytes in base64url: the session's id, 32 bytes that only its owner and we can know,
// and a mark (truncated HMAC) that tells a token of ours from one that somebody made up. Only its SHA-256 is kept.
//
// Each is used once: it is exchanged for its successor. An old one that comes back means that two have it, so the
// session ends, however old the token is; that is what the mark is for, since a made-up token must not end a session.
// The successor is made of the token itself (HMAC), so that whoever lost the answer, or asked twice at once, is given
// the very same one again for a few seconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"

namespace buildplan::identity {

struct RefreshToken {
    SessionId session;
    std::string text;

    [[nodiscard]] std::string hash() const;
};

class RefreshTokens {
public:
    // The installation's secret, the same on all instances. When it changes, tokens stay valid, but the old ones that
    // are seen again are not known to be ours.
    explicit RefreshTokens(std::string_view secret);

    [[nodiscard]] RefreshToken make(SessionId session) const;
    [[nodiscard]] RefreshToken successor(RefreshToken const& token) const;
    // Nothing for what does not look like one.
    static std::optional<RefreshToken> parse(std::string_view text);
    // Whether we made it.
    [[nodiscard]] bool is_ours(RefreshToken const& token) const;

private:
    [[nodiscard]] RefreshToken sealed(SessionId session, std::string_view random) const;

    std::string mark_key_, successor_key_;
};

}  // namespace buildplan::identity
