#include "features/identity/sign_in/attempts.hpp"

#include <gtest/gtest.h>

#include "features/identity/sign_in/origin.hpp"
#include "features/identity/sign_in/test_account.hpp"

namespace buildplan::identity {
namespace {

using api::testing::HttpClient;
using features::testing::Account;
using features::testing::HttpAnswer;
using features::testing::Product;

TEST(Places, AreAnAddressOrAHousehold) {
    EXPECT_EQ(place_of("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(place_of("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(place_of("2001:db8:1:2:3:4:5:6"), place_of("2001:db8:1:2::1"));
    EXPECT_NE(place_of("2001:db8:1:3::1"), place_of("2001:db8:1:2::1"));
    EXPECT_EQ(place_of("what is this"), "what is this");
}

// With Redis, and on the shard alone.
class AttemptsTest : public ::testing::TestWithParam<bool> {
protected:
    static api::testing::ServerWishes wishes() {
        auto wishes = features::testing::product_wishes();
        if (GetParam()) wishes.redis_url = test_support::redis().url();
        return wishes;
    }
    AttemptsTest() {
        if (!GetParam()) return;
        auto* const redis = server.shard().redis;
        server.run([](redis::Client& client) -> task<> {
            if (!co_await client.connected(std::chrono::seconds{10})) throw std::runtime_error("no Redis");
            co_await client.command(redis::Command("FLUSHALL"));
        }(*redis));
    }
    HttpAnswer try_from(std::string const& address, std::string_view email, std::string_view password) const {
        HttpClient client(server.port(), address);
        return client.ask("POST", "/auth/login", "Content-Type: application/json\r\n",
                          fmt::format(R"({{"email":"{}","password":"{}"}})", email, password));
    }
    // Not at the very end of a minute, where the window would change under the test.
    static void wait_for_room_in_the_minute() {
        while (std::chrono::floor<std::chrono::seconds>(now()).time_since_epoch().count() % 60 > 50)
            std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    Product server{wishes(), true};
    Account us{server};
};

TEST_P(AttemptsTest, StopWhoGuessesFromOnePlaceAndNobodyElse) {
    wait_for_room_in_the_minute();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(try_from("127.0.0.9", us.email, "a guess").status, 401);
    auto const stopped = try_from("127.0.0.9", us.email, "a guess");
    EXPECT_EQ(stopped.status, 429);
    EXPECT_EQ(stopped.text("code"), "too-many-attempts");
    EXPECT_GE(std::stoi(stopped.header("Retry-After")), 1);
    EXPECT_LE(std::stoi(stopped.header("Retry-After")), 60);
    EXPECT_EQ(try_from("127.0.0.9", us.email, us.password).status, 429) << "a right guess would show";
    EXPECT_EQ(try_from("127.0.0.1", us.email, us.password).status, 200) << "the owner is kept out";
    EXPECT_EQ(try_from("127.0.0.7", us.email, us.password).status, 200) << "another place is, too";
    EXPECT_EQ(try_from("127.0.0.9", "nobody@example.com", "a guess").status, 401);
}

TEST_P(AttemptsTest, StopForAnAccountThatDoesNotExistAlike) {
    wait_for_room_in_the_minute();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(try_from("127.0.0.9", "nobody@example.com", "a guess").status, 401);
    EXPECT_EQ(try_from("127.0.0.9", "nobody@example.com", "a guess").status, 429);
}

TEST_P(AttemptsTest, DoNotCountWhatSucceeds) {
    wait_for_room_in_the_minute();
    for (int i = 0; i < 12; ++i) EXPECT_EQ(try_from("127.0.0.1", us.email, us.password).status, 200) << i;
}

TEST_P(AttemptsTest, FromManyPlacesKeepTheOwnerOutOfNoneThatTheyKnow) {
    // Sixty wrong ones in an hour from all over.
    wait_for_room_in_the_minute();
    server.run([](Attempts& attempts, std::string email) -> task<> {
        for (int i = 0; i < 60; ++i) {
            auto const counted = co_await attempts.at_account(email, fmt::format("192.0.2.{}", i), false);
            EXPECT_FALSE(counted.wait) << i;
        }
    }(server.shard().entrance->attempts, us.email));
    auto const stranger = try_from("127.0.0.8", us.email, us.password);
    EXPECT_EQ(stranger.status, 429);
    EXPECT_EQ(try_from("127.0.0.1", us.email, us.password).status, 200);
}

TEST_P(AttemptsTest, OverManyAccountsFromOnePlaceAreStopped) {
    wait_for_room_in_the_minute();
    server.run([](Attempts& attempts) -> task<> {
        for (int i = 0; i < 30; ++i) EXPECT_FALSE((co_await attempts.at_place("127.0.0.9")).wait);
    }(server.shard().entrance->attempts));
    EXPECT_EQ(try_from("127.0.0.9", "somebody-new@example.com", "a guess").status, 429);
    EXPECT_EQ(try_from("127.0.0.8", "somebody-new@example.com", "a guess").status, 401);
}

INSTANTIATE_TEST_SUITE_P(Counted, AttemptsTest, ::testing::Bool(),
                         [](auto const& info) { return info.param ? "InRedis" : "OnTheShard"; });

}  // namespace
}  // namespace buildplan::identity
