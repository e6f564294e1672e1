// Access tokens as text: JWTs (RFC 7519) in compact serialization (RFC 7515 section 3.1), signed with Ed25519 (RFC
// 8037), of the profile of RFC 9068: header {alg: EdDSA, kid, typ: at+jwt}, claims iss, aud, sub (the user), org, sid
// (the session), iat, exp. Nothing is chosen by the token itself: one algorithm, keys that we know by kid, and no
// header parameter beside the three, so `crit`, `jwk`, `x5u` and whatever else there may be refuse themselves.
#pragma once

#include <boost/describe/class.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"
#include "features/identity/tokens/key_set.hpp"

namespace buildplan::identity {

inline constexpr std::size_t longest_token = 2048;

struct Claims {
    std::string iss;
    std::string aud;
    UserId sub;
    std::optional<OrganizationId> org;
    SessionId sid;
    std::int64_t iat = 0;  // seconds since 1970
    std::int64_t exp = 0;
    std::optional<std::int64_t> nbf;
};
BOOST_DESCRIBE_STRUCT(Claims, (), (iss, aud, sub, org, sid, iat, exp, nbf))
// What a later version adds is not for us (RFC 7519 section 4).
constexpr auto json_rules(Claims const*) {
    return json::fields(json::field("iss").length(1, 500), json::field("aud").length(1, 500)).ignore_unknown();
}

std::string make_token(SigningKey const& key, std::string_view kid, Claims const& claims);

enum class Refusal : std::uint8_t { malformed, header, unknown_key, signature, issuer, audience, expired, not_yet };
std::string_view to_text(Refusal refusal) noexcept;

struct Expected {
    std::string_view issuer;
    std::string_view audience;
    Timestamp now;
    std::chrono::seconds leeway{5};  // by which clocks of instances may differ
};

// Bounds, form, header, key, signature, claims, in this order.
std::expected<Claims, Refusal> verify_token(KeySet const& keys, std::string_view token, Expected const& expected);

}  // namespace buildplan::identity
