#include "features/identity/sign_in/refresh_token.hpp"

#include <algorithm>

#include "core/crypto.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace buildplan::identity {
namespace {

constexpr std::string_view prefix = "bp_ref_";
constexpr std::size_t id_size = 16, random_size = 32, mark_size = 16;
constexpr std::size_t text_size = prefix.size() + 86;  // 64 bytes in base64url

}  // namespace

std::string RefreshToken::hash() const { return sha256(text); }

RefreshTokens::RefreshTokens(std::string_view secret)
    : mark_key_(hmac_sha256(secret, "refresh token, mark")),
      successor_key_(hmac_sha256(secret, "refresh token, successor")) {}

RefreshToken RefreshTokens::make(SessionId session) const { return sealed(session, random_bytes(random_size)); }

RefreshToken RefreshTokens::successor(RefreshToken const& token) const {
    return sealed(token.session, hmac_sha256(successor_key_, token.text));
}

RefreshToken RefreshTokens::sealed(SessionId session, std::string_view random) const {
    std::string bytes(session.value.bytes.begin(), session.value.bytes.end());
    bytes += random;
    bytes += hmac_sha256(mark_key_, bytes).substr(0, mark_size);
    return {.session = session, .text = std::string(prefix) + base64url(bytes)};
}

std::optional<RefreshToken> RefreshTokens::parse(std::string_view text) {
    if (text.size() != text_size || !text.starts_with(prefix)) return std::nullopt;
    auto const bytes = from_base64url(text.substr(prefix.size()));
    if (!bytes || bytes->size() != id_size + random_size + mark_size) return std::nullopt;
    RefreshToken token{.session = {}, .text = std::string(text)};
    std::copy_n(bytes->begin(), id_size, token.session.value.bytes.begin());
    return token;
}

bool RefreshTokens::is_ours(RefreshToken const& token) const {
    auto const bytes = from_base64url(std::string_view(token.text).substr(prefix.size())).value_or("");
    if (bytes.size() != id_size + random_size + mark_size) return false;
    auto const signed_part = std::string_view(bytes).substr(0, id_size + random_size);
    return equal_in_constant_time(std::string_view(bytes).substr(id_size + random_size),
                                  hmac_sha256(mark_key_, signed_part).substr(0, mark_size));
}

}  // namespace buildplan::identity
