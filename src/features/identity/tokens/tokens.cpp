#include "features/identity/tokens/tokens.hpp"

#include <algorithm>

namespace buildplan::identity {
namespace {

std::int64_t seconds(Timestamp time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

Tokens::Tokens(Loop& loop, postgres::SystemPool& system, Options options)
    : loop_(loop), store_(system, options.secret, options.times), options_(std::move(options)) {}

task<> Tokens::reread() {
    tried_at_ = Clock::now();
    auto set = co_await store_.load();
    keys_ = std::make_shared<KeySet const>(std::move(set));
    read_at_ = Clock::now();
}

// What is known, read again where it is old. Keys that are old are better than none: where they cannot be read, those
// that are known go on.
task<std::shared_ptr<KeySet const>> Tokens::keys() {
    if (!keys_) {
        co_await reread();
    } else if (Clock::now() - read_at_ > options_.reread && Clock::now() - tried_at_ > options_.reread_unknown) {
        try {
            co_await reread();
        } catch (Problem const& problem) {
            loop_.log().warning("signing keys could not be read again", {{"error", problem.detail}});
        }
    }
    co_return keys_;
}

task<IssuedToken> Tokens::issue(SessionId session, UserId user, std::optional<OrganizationId> organization) {
    auto set = co_await keys();
    auto const time = now();
    if (!set->signer(time)) {  // it retired while we were not looking
        co_await reread();
        set = keys_;
    }
    auto const* const key = set->signer(time);
    if (!key) throw problems::unavailable("No tokens can be made at the moment.");
    auto const expires_at = std::chrono::floor<std::chrono::seconds>(time) + options_.lifetime;
    Claims const claims{.iss = options_.issuer,
                        .aud = options_.audience,
                        .sub = user,
                        .org = organization,
                        .sid = session,
                        .iat = seconds(time),
                        .exp = seconds(expires_at),
                        .nbf = {}};
    co_return IssuedToken{make_token(*key->signing, key->kid, claims), expires_at};
}

task<std::optional<Claims>> Tokens::verify(std::string token) {
    auto set = co_await keys();
    Expected const expected{.issuer = options_.issuer, .audience = options_.audience, .now = now()};
    auto result = verify_token(*set, token, expected);
    if (!result && result.error() == Refusal::unknown_key && Clock::now() - tried_at_ > options_.reread_unknown) {
        co_await reread();
        set = keys_;
        result = verify_token(*set, token, expected);
    }
    if (result) co_return *std::move(result);
    loop_.log().debug("token refused", {{"reason", to_text(result.error())}});
    co_return std::nullopt;
}

task<std::string> Tokens::jwks() {
    auto const set = co_await keys();
    co_return set->jwks(now());
}

task<IssuedToken> issue_access_token(api::Shard& shard, SessionId session, UserId user,
                                     std::optional<OrganizationId> organization) {
    return shard.tokens->issue(session, user, organization);
}

}  // namespace buildplan::identity
