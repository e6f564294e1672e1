#include "features/identity/tokens/tokens.hpp"

#include <gtest/gtest.h>

#include "core/crypto.hpp"
#include "features/test_people.hpp"
#include "postgres/test_pool.hpp"

namespace buildplan::identity {
namespace {

using namespace std::chrono_literals;
using features::testing::KeyHolder;
using features::testing::Person;
using features::testing::Product;

// Keys are the installation's, so each test has a database of its own.
class KeyStoreTest : public ::testing::Test {
protected:
    KeyStoreTest() : system(ground.loop, ground.offload, postgres::testing::options_for(database.system())) {}
    ~KeyStoreTest() {
        run([](postgres::SystemPool& pool) -> task<> { co_await pool.close(); }(system));
    }
    void run(task<> work) {
        ground.loop.io().restart();
        ground.run(std::move(work));
    }
    template <class T>
    T get(task<T> work) {
        std::optional<T> out;
        run([](task<T> what, std::optional<T>& into) -> task<> { into.emplace(co_await std::move(what)); }(
                                                         std::move(work), out));
        return std::move(*out);
    }
    std::string value(std::string const& sql) { return postgres::Session(database.admin()).value(sql).value_or(""); }
    std::string issue(Tokens& tokens) { return get(tokens.issue(session, user, organization)).text; }
    bool good(Tokens& tokens, std::string text) { return get(tokens.verify(std::move(text))).has_value(); }
    Tokens tokens(Tokens::Options options = {}) { return {ground.loop, system, std::move(options)}; }

    test_support::MigratedDatabase database;
    postgres::testing::Ground ground;
    postgres::SystemPool system;
    SessionId session = SessionId::make();
    UserId user = UserId::make();
    OrganizationId organization = OrganizationId::make();
};

TEST_F(KeyStoreTest, TheFirstThatNeedsAKeyMakesIt) {
    KeyStore here(system, "secret"), there(system, "secret");
    EXPECT_EQ(get(here.read()).keys().size(), 0U);
    auto const made = get(here.load());
    auto const found = get(there.load());
    ASSERT_NE(found.signer(now()), nullptr);
    EXPECT_EQ(found.signer(now())->kid, made.signer(now())->kid);
    EXPECT_EQ(value("SELECT count(*) FROM signing_keys"), "1");
}

TEST_F(KeyStoreTest, OfManyAtOnceOneMakesIt) {
    run([](postgres::SystemPool& pool) -> task<> {
        KeyStore store(pool, "secret");
        std::vector<std::string> kids;
        auto const one = [](KeyStore& s, std::vector<std::string>& out) -> task<> {
            auto const set = co_await s.load();
            out.push_back(set.signer(now())->kid);
        };
        auto const executor = co_await asio::this_coro::executor;
        for (int i = 0; i < 8; ++i) asio::co_spawn(executor, one(store, kids), [](std::exception_ptr) {});
        while (kids.size() < 8) co_await sleep_for(1ms);
        EXPECT_EQ(std::set<std::string>(kids.begin(), kids.end()).size(), 1U);
    }(system));
    EXPECT_EQ(value("SELECT count(*) FROM signing_keys"), "1");
}

TEST_F(KeyStoreTest, PrivateHalvesAreSealed) {
    auto const set = get(KeyStore(system, "secret").load());
    auto const seed = to_hex(set.signer(now())->signing->seed());
    auto const row = value("SELECT encode(sealed_private_key, 'hex') FROM signing_keys");
    EXPECT_EQ(row.find(seed), std::string::npos);
    // With another secret it verifies and does not sign: such a process makes a key of its own.
    auto const others = get(KeyStore(system, "another secret").read());
    EXPECT_EQ(others.signer(now()), nullptr);
    EXPECT_NE(others.find(set.signer(now())->kid, now()), nullptr);
    get(KeyStore(system, "another secret").load());
    EXPECT_EQ(value("SELECT count(*) FROM signing_keys"), "2");
    EXPECT_EQ(get(KeyStore(system, "secret").load()).signer(now())->kid, set.signer(now())->kid);
}

TEST_F(KeyStoreTest, ASealedHalfOfAnotherRowIsNotTaken) {
    KeyStore store(system, "secret");
    auto const first = get(store.load()).signer(now())->kid;
    auto const second = get(store.rotate(true));
    postgres::Session(database.admin())
        .query(
            "UPDATE signing_keys SET sealed_private_key = "
            "(SELECT sealed_private_key FROM signing_keys WHERE kid = $1) WHERE kid = $2",
            {first, second});
    EXPECT_EQ(get(store.read()).signer(now()), nullptr);
}

TEST_F(KeyStoreTest, RotationLogsNobodyOut) {
    auto here = tokens(), there = tokens();
    auto const before = issue(here);
    EXPECT_TRUE(good(there, before));
    auto const old_kid = get(KeyStore(system, "not a secret").read()).signer(now())->kid;
    auto const kid = get(KeyStore(system, "not a secret").rotate());
    // Shown before it signs.
    auto late = tokens();
    EXPECT_NE(get(late.jwks()).find(kid), std::string::npos);
    EXPECT_NE(get(late.jwks()).find(old_kid), std::string::npos);
    auto const set = get(KeyStore(system, "not a secret").read());
    EXPECT_EQ(set.signer(now())->kid, old_kid);
    EXPECT_EQ(set.signer(now() + 10min)->kid, kid);
    // The old one verifies until the last token that it signed is over: 15 minutes and the clocks' difference.
    EXPECT_NE(set.find(old_kid, now() + 10min + 15min + 5s), nullptr);
    EXPECT_EQ(set.find(old_kid, now() + 10min + 20min), nullptr);
    EXPECT_TRUE(good(late, before));
    EXPECT_TRUE(good(here, issue(late)));
}

TEST_F(KeyStoreTest, AKeyThatSignsAtOnceIsKnownByTheFirstTokenThatNamesIt) {
    auto here = tokens({.reread_unknown = 0s});
    EXPECT_TRUE(good(here, issue(here)));
    auto const kid = get(KeyStore(system, "not a secret").rotate(true));
    auto there = tokens();
    auto const token = issue(there);
    EXPECT_NE(from_base64url(token.substr(0, token.find('.')))->find(kid), std::string::npos);
    EXPECT_TRUE(good(here, token));
}

TEST_F(KeyStoreTest, UnknownKeysDoNotMakeUsReadOnEveryToken) {
    auto here = tokens({.reread_unknown = 1h});
    EXPECT_TRUE(good(here, issue(here)));
    get(KeyStore(system, "not a secret").rotate(true));
    auto there = tokens();
    EXPECT_FALSE(good(here, issue(there)));
}

TEST_F(KeyStoreTest, OldKeysGetASuccessorOnce) {
    KeyStore store(system, "secret");
    EXPECT_FALSE(get(store.rotate_when_older(0s)));  // nothing to follow on
    get(store.load());
    EXPECT_FALSE(get(store.rotate_when_older(24h)));
    postgres::Session(database.admin()).execute("UPDATE signing_keys SET created_at = now() - interval '25 hours'");
    EXPECT_TRUE(get(store.rotate_when_older(24h)));
    EXPECT_FALSE(get(store.rotate_when_older(24h)));
    EXPECT_EQ(value("SELECT count(*) FROM signing_keys"), "2");
    EXPECT_EQ(get(store.sweep()), 0U);
    postgres::Session(database.admin())
        .execute("UPDATE signing_keys SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL");
    EXPECT_EQ(get(store.sweep()), 1U);
}

// Through the whole server.
class TokenTest : public ::testing::Test {
protected:
    int status(std::string const& token) {
        return server.ask("GET", "/v1/workspaces", "Authorization: Bearer " + token + "\r\n").status;
    }
    Product server;
    KeyHolder organization;
    Person person{organization, "VIEWER"};
};

TEST_F(TokenTest, OpensWhatTheRoleOpens) {
    auto const headers = person.json(server, organization.id);
    EXPECT_EQ(server.ask("GET", "/v1/workspaces", headers).status, 200);
    EXPECT_EQ(server.ask("POST", "/v1/workspaces", headers, R"({"name":"A"})").status, 403);
}

TEST_F(TokenTest, IsVerifiedOnce) {
    auto const token = person.token(server, organization.id);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(status(token), 200);
    auto const text = server.ask("GET", "/metrics").body;
    EXPECT_NE(text.find(R"(buildplan_authentication_lookups_total{result="asked"} 1)"), std::string::npos) << text;
    EXPECT_NE(text.find(R"(buildplan_authentication_lookups_total{result="kept"} 4)"), std::string::npos);
}

TEST_F(TokenTest, WithoutAnOrganizationOpensNoTenant) { EXPECT_EQ(status(person.token(server, std::nullopt)), 403); }

TEST_F(TokenTest, ForAnOrganizationThatOneIsNoMemberOfIsNobodys) {
    KeyHolder const other;
    EXPECT_EQ(status(person.token(server, other.id)), 401);
}

TEST_F(TokenTest, OfASessionThatIsOverIsNobodys) {
    auto const token = person.token(server, organization.id);
    person.sign_out();
    EXPECT_EQ(status(token), 401);
    Person expired(organization, "OWNER");
    Person::query("UPDATE sessions SET expires_at = now() WHERE id = $1::uuid", {expired.session.to_string()});
    EXPECT_EQ(status(expired.token(server, organization.id)), 401);
}

TEST_F(TokenTest, OfAnotherPersonsSessionIsNobodys) {
    Person mixed(organization, "OWNER");
    mixed.session = person.session;
    EXPECT_EQ(status(mixed.token(server, organization.id)), 401);
}

TEST_F(TokenTest, JwksShowsTheKeyThatSigned) {
    auto const token = person.token(server, organization.id);
    auto const header = boost::json::parse(*from_base64url(token.substr(0, token.find('.'))));
    auto const answer = server.ask("GET", "/.well-known/jwks.json");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Type"), "application/jwk-set+json");
    EXPECT_EQ(answer.header("Cache-Control"), "public, max-age=300");
    bool found = false;
    for (auto const& key : answer.json().at("keys").as_array()) {
        EXPECT_FALSE(key.as_object().contains("d"));
        found = found || key.at("kid") == header.at("kid");
    }
    EXPECT_TRUE(found) << answer.body;
}

}  // namespace
}  // namespace buildplan::identity
