#include "features/identity/authentication.hpp"

#include <gtest/gtest.h>

#include "features/identity/service.hpp"
#include "features/test_product.hpp"
#include "postgres/test_pool.hpp"

namespace buildplan::identity {
namespace {

using features::testing::KeyHolder;
using features::testing::Product;

std::string status_with(Product& server, std::string const& authorization) {
    return std::to_string(
        server.ask("GET", "/v1/workspaces", authorization.empty() ? "" : "Authorization: " + authorization + "\r\n")
            .status);
}

TEST(AuthenticationTest, TakesAKeyAndNothingElse) {
    Product server;
    KeyHolder us;
    EXPECT_EQ(status_with(server, "Bearer " + us.key), "200");
    EXPECT_EQ(status_with(server, "bearer  " + us.key), "200");
    for (auto const& bad :
         {std::string{}, std::string("Bearer"), std::string("Bearer "), us.key, "Basic " + us.key,
          "Bearer " + us.key + "x", "Bearer " + make_key(KeyKind::service), "Bearer " + us.key + " " + us.key}) {
        EXPECT_EQ(status_with(server, bad), "401") << bad;
    }
}

TEST(AuthenticationTest, AsksPostgresOnceForAKey) {
    Product server;
    KeyHolder us;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(status_with(server, "Bearer " + us.key), "200");
    auto const text = server.ask("GET", "/metrics").body;
    EXPECT_NE(text.find(R"(buildplan_authentication_lookups_total{result="asked"} 1)"), std::string::npos) << text;
    EXPECT_NE(text.find(R"(buildplan_authentication_lookups_total{result="kept"} 4)"), std::string::npos);
}

TEST(AuthenticationTest, NotesWhenAKeyWasUsed) {
    Product server;
    KeyHolder us;
    EXPECT_EQ(status_with(server, "Bearer " + us.key), "200");
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (us.value("SELECT last_used_at FROM api_keys WHERE organization_id = $1::uuid").empty()) {
        ASSERT_LT(std::chrono::steady_clock::now(), last);
    }
}

TEST(FirstOrganization, IsOpenedByItsKeyAndOnlyOnce) {
    // Its own database: it looks whether there is any organization at all.
    test_support::MigratedDatabase database;
    auto const key = make_key(KeyKind::service);
    postgres::testing::Ground ground;
    auto const options = [](std::string url) { return postgres::testing::options_for(std::move(url)); };
    postgres::Pool pool(ground.loop, ground.offload, options(database.app()));
    postgres::SystemPool system(ground.loop, ground.offload, options(database.system()));
    ground.run([](postgres::SystemPool& s, postgres::Pool& p, std::string first, std::string second) -> task<> {
        co_await open_first_organization(s, p, first);
        co_await open_first_organization(s, p, first);
        co_await open_first_organization(s, p, second);  // the folder with the first key is gone
        co_await p.close();
        co_await s.close();
    }(system, pool, key, make_key(KeyKind::service)));
    postgres::Session session(database.admin());
    EXPECT_EQ(session.value("SELECT string_agg(name || ' ' || slug, ',') FROM organizations"), "My organization local");
    EXPECT_EQ(session.value("SELECT count(*) FROM api_keys"), "2");
    EXPECT_EQ(session.value("SELECT count(*) FROM api_keys WHERE hash = decode($1, 'hex') AND scopes = '{*}'",
                            {to_hex(hash_of_key(key))}),
              "1");
}

TEST(FirstOrganization, IsNotMadeWhereThereAreOthers) {
    test_support::MigratedDatabase database;
    postgres::Session session(database.admin());
    session.execute("INSERT INTO organizations (name, slug) VALUES ('Theirs', 'theirs')");
    postgres::testing::Ground ground;
    postgres::Pool pool(ground.loop, ground.offload, postgres::testing::options_for(database.app()));
    postgres::SystemPool system(ground.loop, ground.offload, postgres::testing::options_for(database.system()));
    ground.run([](postgres::SystemPool& s, postgres::Pool& p) -> task<> {
        co_await open_first_organization(s, p, make_key(KeyKind::service));
        co_await p.close();
        co_await s.close();
    }(system, pool));
    EXPECT_EQ(session.value("SELECT count(*) FROM organizations"), "1");
    EXPECT_EQ(session.value("SELECT count(*) FROM api_keys"), "0");
}

}  // namespace
}  // namespace buildplan::identity
