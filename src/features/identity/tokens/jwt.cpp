#include "features/identity/tokens/jwt.hpp"

#include <array>

#include "core/json/decode.hpp"
#include "core/json/encode.hpp"
#include "core/problem.hpp"
#include "core/text.hpp"

namespace buildplan::identity {
namespace {

constexpr std::string_view algorithm = "EdDSA", type = "at+jwt";
constexpr json::Limits limits{.depth = 4, .values = 32, .errors = 1};

struct Header {
    std::string alg;
    std::string kid;
    std::string typ;
};
BOOST_DESCRIBE_STRUCT(Header, (), (alg, kid, typ))

template <class T>
std::string part_of(T const& value) {
    std::string text;
    json::append(text, value);
    return base64url(text);
}

// Nothing for what is not base64url in its one form, not JSON, or does not fit.
template <class T>
std::optional<T> read_part(std::string_view part) {
    auto const text = from_base64url(part);
    if (!text) return std::nullopt;
    try {
        return json::decode<T>(*text, limits);
    } catch (Problem const&) {
        return std::nullopt;
    }
}

struct Parts {
    std::string_view header, claims, signature, signed_text;
};

std::optional<Parts> split(std::string_view token) {
    auto const first = token.find('.');
    auto const last = token.rfind('.');
    if (token.size() > longest_token || first == std::string_view::npos || first == last) return std::nullopt;
    Parts const parts{.header = token.substr(0, first),
                      .claims = token.substr(first + 1, last - first - 1),
                      .signature = token.substr(last + 1),
                      .signed_text = token.substr(0, last)};
    if (parts.claims.find('.') != std::string_view::npos) return std::nullopt;
    return parts;
}

}  // namespace

std::string make_token(SigningKey const& key, std::string_view kid, Claims const& claims) {
    auto token = part_of(Header{std::string(algorithm), std::string(kid), std::string(type)}) + '.' + part_of(claims);
    auto const signature = key.sign(token);
    token += '.';
    token += base64url(signature);
    return token;
}

std::string_view to_text(Refusal refusal) noexcept {
    constexpr std::array<std::string_view, 8> texts{"malformed", "header",   "unknown_key", "signature",
                                                    "issuer",    "audience", "expired",     "not_yet"};
    return texts[static_cast<std::size_t>(refusal)];
}

std::expected<Claims, Refusal> verify_token(KeySet const& keys, std::string_view token, Expected const& expected) {
    auto const parts = split(token);
    if (!parts) return std::unexpected(Refusal::malformed);
    auto const header = read_part<Header>(parts->header);
    if (!header || header->alg != algorithm || header->typ != type) return std::unexpected(Refusal::header);
    auto const* const key = keys.find(header->kid, expected.now);
    if (!key) return std::unexpected(Refusal::unknown_key);
    auto const signature = from_base64url(parts->signature);
    if (!signature || !key->verifying.verify(parts->signed_text, *signature))
        return std::unexpected(Refusal::signature);
    auto claims = read_part<Claims>(parts->claims);
    if (!claims) return std::unexpected(Refusal::malformed);
    if (claims->iss != expected.issuer) return std::unexpected(Refusal::issuer);
    if (claims->aud != expected.audience) return std::unexpected(Refusal::audience);
    auto const now = std::chrono::floor<std::chrono::seconds>(expected.now).time_since_epoch().count();
    auto const leeway = expected.leeway.count();
    if (claims->exp <= now - leeway) return std::unexpected(Refusal::expired);
    if (claims->iat > now + leeway || claims->nbf.value_or(0) > now + leeway) return std::unexpected(Refusal::not_yet);
    return *std::move(claims);
}

}  // namespace buildplan::identity
