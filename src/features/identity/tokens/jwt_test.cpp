#include "features/identity/tokens/jwt.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "core/crypto.hpp"
#include "core/text.hpp"

namespace buildplan::identity {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp time_of_issue{1'790'000'000s};

KnownKey known(SigningKey const& key) {
    auto verifying = key.verifying_key();
    auto kid = kid_of(verifying);
    return {.kid = std::move(kid),
            .verifying = std::move(verifying),
            .signing = key,
            .created_at = {},
            .active_from = time_of_issue - 24h,
            .retired_at = {},
            .expires_at = {}};
}

class JwtTest : public ::testing::Test {
protected:
    Claims claims() const {
        return {.iss = "https://plan.example",
                .aud = "api",
                .sub = user,
                .org = organization,
                .sid = session,
                .iat = 1'790'000'000,
                .exp = 1'790'000'900,
                .nbf = {}};
    }
    std::string token() const { return make_token(key, kid, claims()); }
    Expected expected(Timestamp now = time_of_issue) const {
        return {.issuer = "https://plan.example", .audience = "api", .now = now};
    }
    // What verification makes of it, in a word.
    std::string verdict(std::string_view text, Timestamp now = time_of_issue) const {
        auto const result = verify_token(keys, text, expected(now));
        return result ? "good" : std::string(to_text(result.error()));
    }
    // Signed by us, whatever it says.
    std::string signed_by_us(std::string_view header, std::string_view payload) const {
        auto const text = base64url(header) + "." + base64url(payload);
        return text + "." + base64url(key.sign(text));
    }
    std::string header(std::string_view more = "") const {
        return fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"at+jwt"{}}})", kid, more);
    }
    std::string payload() const {
        auto const text = token();
        auto const dot = text.find('.') + 1;
        return *from_base64url(std::string_view{text}.substr(dot, text.rfind('.') - dot));
    }

    SigningKey key = SigningKey::generate();
    KeySet keys{{known(key)}};
    std::string kid = keys.keys().front().kid;
    UserId user = UserId::make();
    SessionId session = SessionId::make();
    OrganizationId organization = OrganizationId::make();
};

TEST_F(JwtTest, ComesBackAsItWasMade) {
    auto const result = verify_token(keys, token(), expected());
    ASSERT_TRUE(result);
    EXPECT_EQ(result->sub, user);
    EXPECT_EQ(result->sid, session);
    EXPECT_EQ(result->org, organization);
    EXPECT_EQ(result->exp, 1'790'000'900);
    EXPECT_LT(token().size(), 600U);
}

TEST_F(JwtTest, HasTheHeaderOfRfc9068) {
    auto const text = token();
    EXPECT_EQ(*from_base64url(text.substr(0, text.find('.'))), header());
}

TEST_F(JwtTest, MayNameNoOrganization) {
    auto alone = claims();
    alone.org.reset();
    auto const text = make_token(key, kid, alone);
    EXPECT_EQ(verify_token(keys, text, expected())->org, std::nullopt);
}

TEST_F(JwtTest, IsGoodUntilItExpires) {
    EXPECT_EQ(verdict(token(), time_of_issue + 899s), "good");
    EXPECT_EQ(verdict(token(), time_of_issue + 904s), "good");  // clocks differ
    EXPECT_EQ(verdict(token(), time_of_issue + 905s), "expired");
    EXPECT_EQ(verdict(token(), time_of_issue + 24h), "expired");
}

TEST_F(JwtTest, IsNotGoodBeforeItsTime) {
    EXPECT_EQ(verdict(token(), time_of_issue - 5s), "good");
    EXPECT_EQ(verdict(token(), time_of_issue - 6s), "not_yet");
    auto later = claims();
    later.nbf = later.iat + 60;
    EXPECT_EQ(verdict(make_token(key, kid, later)), "not_yet");
    EXPECT_EQ(verdict(make_token(key, kid, later), time_of_issue + 60s), "good");
}

TEST_F(JwtTest, IsForUsFromUs) {
    auto other = claims();
    other.iss = "https://plan.example.evil.example";
    EXPECT_EQ(verdict(make_token(key, kid, other)), "issuer");
    other = claims();
    other.aud = "api2";
    EXPECT_EQ(verdict(make_token(key, kid, other)), "audience");
}

TEST_F(JwtTest, AnyChangedCharacterIsRefused) {
    auto const good = token();
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (char const other : {'A', 'z', '.', '=', ' ', '\0'}) {
            if (good[i] == other) continue;
            auto bad = good;
            bad[i] = other;
            EXPECT_NE(verdict(bad), "good") << i << other;
        }
        EXPECT_NE(verdict(good.substr(0, i)), "good") << i;
    }
    EXPECT_NE(verdict(good + "A"), "good");
    EXPECT_NE(verdict(good + "="), "good");
    EXPECT_NE(verdict(good + "."), "good");
    EXPECT_NE(verdict(" " + good), "good");
}

TEST_F(JwtTest, TheTokenDoesNotChooseTheAlgorithm) {
    auto const body = base64url(payload());
    for (auto const* const alg : {"none", "None", "NONE", "", "eddsa", "ES256", "HS256", "RS256", "Ed25519"}) {
        EXPECT_EQ(
            verdict(signed_by_us(fmt::format(R"({{"alg":"{}","kid":"{}","typ":"at+jwt"}})", alg, kid), payload())),
            "header")
            << alg;
    }
    // Unsigned.
    EXPECT_EQ(verdict(base64url(R"({"alg":"none","typ":"at+jwt"})") + "." + body + "."), "header");
    EXPECT_EQ(verdict(base64url(header()) + "." + body + "."), "signature");
    // Signed with the public key as if it were a shared secret.
    auto const text = base64url(fmt::format(R"({{"alg":"HS256","kid":"{}","typ":"at+jwt"}})", kid)) + "." + body;
    EXPECT_EQ(verdict(text + "." + base64url(hmac_sha256(keys.keys().front().verifying.bytes(), text))), "header");
}

TEST_F(JwtTest, TheTokenDoesNotBringItsKey) {
    auto const theirs = SigningKey::generate();
    auto const their_kid = kid_of(theirs.verifying_key());
    EXPECT_EQ(verdict(make_token(theirs, their_kid, claims())), "unknown_key");
    EXPECT_EQ(verdict(make_token(theirs, kid, claims())), "signature");
    for (auto const* const more : {R"(,"crit":["exp"])", R"(,"crit":[])", R"(,"jku":"https://evil.example/jwks.json")",
                                   R"(,"jwk":{"kty":"OKP"})", R"(,"x5c":[])", R"(,"b64":false)"}) {
        EXPECT_EQ(verdict(signed_by_us(header(more), payload())), "header") << more;
    }
}

TEST_F(JwtTest, AnotherKindOfTokenIsNoAccessToken) {
    for (auto const* const type : {"JWT", "id+jwt", "refresh", "application/at+jwt"}) {
        EXPECT_EQ(
            verdict(signed_by_us(fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"{}"}})", kid, type), payload())),
            "header")
            << type;
    }
    EXPECT_EQ(verdict(signed_by_us(fmt::format(R"({{"alg":"EdDSA","kid":"{}"}})", kid), payload())), "header");
}

TEST_F(JwtTest, ClaimsHaveTheirForm) {
    EXPECT_EQ(verdict(signed_by_us(header(), payload())), "good");
    for (auto const* const bad :
         {"", "{}", "[]", "null", "\xff", R"({"iss":"https://plan.example","aud":["api"]})",
          R"({"iss":"https://plan.example","aud":"api","sub":"1","sid":"2","iat":1,"exp":9999999999})"}) {
        EXPECT_EQ(verdict(signed_by_us(header(), bad)), "malformed") << bad;
    }
    // The same claim twice: others might read the other one.
    auto twice = payload();
    twice.insert(1, R"("exp":9999999999,)");
    EXPECT_EQ(verdict(signed_by_us(header(), twice)), "malformed");
    // A claim of a later version.
    auto more = payload();
    more.insert(1, R"("scope":"x",)");
    EXPECT_EQ(verdict(signed_by_us(header(), more)), "good");
}

TEST_F(JwtTest, IsNotWithoutEnd) {
    EXPECT_EQ(verdict(std::string(longest_token + 1, 'a')), "malformed");
    EXPECT_EQ(verdict(signed_by_us(header(), std::string(4000, ' '))), "malformed");
    for (auto const* const bad : {"", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e"})
        EXPECT_NE(verdict(bad), "good") << bad;
}

TEST_F(JwtTest, AnExpiredKeyVerifiesNothing) {
    auto old = known(key);
    old.expires_at = time_of_issue + 10s;
    KeySet const set{{old}};
    EXPECT_TRUE(verify_token(set, token(), expected(time_of_issue + 9s)));
    EXPECT_EQ(verify_token(set, token(), expected(time_of_issue + 10s)).error(), Refusal::unknown_key);
}

TEST(KeySetTest, NamesKeysByTheirThumbprint) {
    // RFC 8037 appendix A.2 and A.3.
    VerifyingKey const key(*from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    EXPECT_EQ(kid_of(key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(KeySetTest, TheNewestThatIsActiveSigns) {
    auto const make = [](Timestamp from) {
        auto key = known(SigningKey::generate());
        key.active_from = from;
        return key;
    };
    auto const now = time_of_issue;
    auto const oldest = make(now - 2h), old = make(now - 1h), next = make(now + 1h);
    KeySet const set{{oldest, next, old}};
    EXPECT_EQ(set.signer(now)->kid, old.kid);
    EXPECT_EQ(set.signer(now + 1h)->kid, next.kid);
    EXPECT_EQ(set.signer(now - 3h), nullptr);
    auto retired = old;
    retired.retired_at = now + 1h;
    KeySet const rotated{{retired, next}};
    EXPECT_EQ(rotated.signer(now)->kid, old.kid);
    EXPECT_EQ(rotated.signer(now + 1h)->kid, next.kid);
    auto shut = old;
    shut.signing.reset();
    KeySet const foreign{{oldest, shut}};
    EXPECT_EQ(foreign.signer(now)->kid, oldest.kid);
    EXPECT_NE(foreign.find(shut.kid, now), nullptr);
}

TEST(KeySetTest, ShowsPublicHalvesOnly) {
    auto const key = SigningKey::generate();
    auto next = known(SigningKey::generate());
    next.active_from = time_of_issue + 1h;
    auto gone = known(SigningKey::generate());
    gone.expires_at = time_of_issue;
    auto const text = KeySet{{known(key), next, gone}}.jwks(time_of_issue);
    EXPECT_EQ(text,
              fmt::format(R"({{"keys":[{{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"{}","x":"{}"}},)"
                          R"({{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"{}","x":"{}"}}]}})",
                          kid_of(key.verifying_key()), base64url(key.verifying_key().bytes()), next.kid,
                          base64url(next.verifying.bytes())));
    EXPECT_EQ(text.find(base64url(key.seed())), std::string::npos);
}

}  // namespace
}  // namespace buildplan::identity
