// Two instances, each with a Redis connection of its own or with none, and what one of them takes away from the other.
#include <gtest/gtest.h>

#include "features/identity/revocations.hpp"
#include "features/test_people.hpp"

namespace buildplan::identity {
namespace {

using namespace std::chrono_literals;
using features::testing::KeyHolder;
using features::testing::Person;
using features::testing::Product;
using SteadyClock = std::chrono::steady_clock;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr auto within = 4s;
#else
constexpr auto within = 1s;
#endif
#endif

api::testing::ServerWishes wishes_on(std::string const& redis_url) {
    auto wishes = features::testing::product_wishes();
    wishes.redis_url = redis_url;
    return wishes;
}

// An instance that hears of revocations through a Redis.
class Listening : public Product {
public:
    explicit Listening(std::string const& url) : Product(wishes_on(url)) {
        run([](Listening& self, std::string at) -> task<> {
            self.subscriber_ = std::make_unique<redis::Subscriber>(self.shard().loop, redis::Options::parse(at));
            self.authentication().listen(*self.subscriber_);
            bool const live = co_await self.subscriber_->wait_live(10s);
            bool const connected = co_await self.shard().redis->connected(10s);
            if (!live || !connected) throw std::runtime_error("no Redis");
        }(*this, url));
    }
    ~Listening() {
        run([](Listening& self) -> task<> {
            self.authentication().stop_listening();
            self.subscriber_->close();
            self.subscriber_.reset();
            co_return;
        }(*this));
    }

private:
    std::unique_ptr<redis::Subscriber> subscriber_;
};

int status_of(Product& server, std::string const& auth, std::string_view target = "/v1/workspaces") {
    return server.ask("GET", target, auth).status;
}

// How long until `server` answers like this.
SteadyClock::duration time_until(Product& server, std::string const& auth, int status) {
    auto const began = SteadyClock::now();
    while (status_of(server, auth) != status) {
        if (SteadyClock::now() - began > 20s) {
            ADD_FAILURE() << "never " << status;
            break;
        }
    }
    return SteadyClock::now() - began;
}

std::string count_kept(Product& server) {
    auto const text = server.ask("GET", "/metrics").body;
    constexpr std::string_view line = R"(buildplan_authentication_lookups_total{result="kept"} )";
    auto const at = text.find(line) + line.size();
    return text.substr(at, text.find('\n', at) - at);
}

class RevocationTest : public ::testing::Test {
protected:
    KeyHolder organization;
    Person person{organization, "ADMIN"};
};

TEST_F(RevocationTest, WithoutRedisASessionThatIsOverIsRefusedEverywhereWithinASecond) {
    Product here, there;
    auto const auth = person.auth(here, organization.id);
    EXPECT_EQ(status_of(here, auth), 200);
    EXPECT_EQ(status_of(there, auth), 200);
    EXPECT_EQ(status_of(there, auth), 200);
    EXPECT_EQ(count_kept(there), "1");  // it is kept, and used
    person.sign_out();
    EXPECT_LT(time_until(here, auth, 401), within);
    EXPECT_LT(time_until(there, auth, 401), within);
}

TEST_F(RevocationTest, WithoutRedisAMemberWhoIsRemovedIsRefusedWithinASecond) {
    Product server;
    auto const auth = person.auth(server, organization.id);
    EXPECT_EQ(status_of(server, auth), 200);
    person.leave(organization.id);
    EXPECT_LT(time_until(server, auth, 401), within);
}

TEST_F(RevocationTest, WithoutRedisAnotherRoleCountsWithinASecond) {
    Product server;
    auto const auth = person.json(server, organization.id);
    auto const create = [&] { return server.ask("POST", "/v1/workspaces", auth, R"({"name":"A"})").status; };
    EXPECT_EQ(create(), 201);
    person.become(organization.id, "VIEWER");
    auto const began = SteadyClock::now();
    while (create() != 403) ASSERT_LT(SteadyClock::now() - began, within);
    EXPECT_EQ(status_of(server, auth), 200);
    person.become(organization.id, "OWNER");
    auto const again = SteadyClock::now();
    while (create() != 201) ASSERT_LT(SteadyClock::now() - again, within);
}

TEST_F(RevocationTest, WithoutRedisARevokedKeyIsRefusedWithinASecond) {
    Product server;
    EXPECT_EQ(status_of(server, organization.auth()), 200);
    Person::query("UPDATE api_keys SET revoked_at = now() WHERE organization_id = $1::uuid",
                  {organization.id.to_string()});
    EXPECT_LT(time_until(server, organization.auth(), 401), within);
}

TEST_F(RevocationTest, OthersAreNotDisturbed) {
    Product server;
    Person other(organization, "MEMBER");
    auto const theirs = other.auth(server, organization.id);
    auto const ours = person.auth(server, organization.id);
    EXPECT_EQ(status_of(server, theirs), 200);
    EXPECT_EQ(status_of(server, ours), 200);
    person.sign_out();
    time_until(server, ours, 401);
    auto const before = std::stoi(count_kept(server));
    EXPECT_EQ(status_of(server, theirs), 200);
    EXPECT_EQ(std::stoi(count_kept(server)), before + 1);
}

// The note is written by a transaction that began long before others that were read already.
TEST_F(RevocationTest, WhatIsCommittedLateIsNotMissed) {
    Product server;
    auto const auth = person.auth(server, organization.id);
    EXPECT_EQ(status_of(server, auth), 200);
    postgres::Session slow(api::testing::database().admin());
    slow.execute("BEGIN");
    slow.query("UPDATE sessions SET revoked_at = now() WHERE id = $1::uuid", {person.session.to_string()});
    // Something that is revoked later, committed at once, and known here.
    Person other(organization, "MEMBER");
    auto const theirs = other.auth(server, organization.id);
    EXPECT_EQ(status_of(server, theirs), 200);
    other.sign_out();
    time_until(server, theirs, 401);
    EXPECT_EQ(status_of(server, auth), 200);
    slow.execute("COMMIT");
    EXPECT_LT(time_until(server, auth, 401), within);
}

TEST_F(RevocationTest, RedisTellsEveryInstanceAtOnce) {
    auto const url = test_support::redis().url();
    Listening here(url), there(url);
    auto const auth = person.auth(here, organization.id);
    EXPECT_EQ(status_of(here, auth), 200);
    EXPECT_EQ(status_of(there, auth), 200);
    // Nothing in PostgreSQL says that it is over; only what is kept goes, and is looked up again.
    auto const before = std::stoi(count_kept(there));
    here.run([](Product& self, Uuid session) -> task<> {
        announce_revoked(self.shard(), {session, UserId::make().value});
        co_return;
    }(here, person.session.value));
    auto const began = SteadyClock::now();
    int asked = 0;
    do {
        ++asked;
        EXPECT_EQ(status_of(there, auth), 200);
        ASSERT_LT(SteadyClock::now() - began, 10s);
    } while (std::stoi(count_kept(there)) == before + asked);
}

TEST_F(RevocationTest, ARevokedKeyOfTheApiIsRefusedByTheNextRequest) {
    Product server;
    KeyHolder const other;
    auto const made = server.ask("POST", "/v1/api-keys", other.json(),
                                 R"({"kind":"service","name":"Robot","scopes":["workspaces.read"]})");
    ASSERT_EQ(made.status, 201) << made.body;
    auto const auth = "Authorization: Bearer " + made.text("key") + "\r\n";
    EXPECT_EQ(status_of(server, auth), 200);
    auto const id = std::string(made.json().at("apiKey").at("id").as_string());
    EXPECT_EQ(server.ask("DELETE", "/v1/api-keys/" + id, other.auth()).status, 204);
    EXPECT_EQ(status_of(server, auth), 401);
}

TEST_F(RevocationTest, WhenRedisIsKilledASecondStillHolds) {
    auto const redis = test_support::start_redis();
    Listening here(redis->url()), there(redis->url());
    auto const auth = person.auth(here, organization.id);
    Person other(organization, "MEMBER");
    auto const theirs = other.auth(here, organization.id);
    for (auto const& each : {auth, theirs}) {
        EXPECT_EQ(status_of(here, each), 200);
        EXPECT_EQ(status_of(there, each), 200);
    }
    redis->kill9();
    person.sign_out();
    EXPECT_LT(time_until(here, auth, 401), within);
    EXPECT_LT(time_until(there, auth, 401), within);
    // And while it stays away.
    EXPECT_EQ(status_of(there, theirs), 200);
    other.leave(organization.id);
    EXPECT_LT(time_until(there, theirs, 401), within);
}

}  // namespace
}  // namespace buildplan::identity
