// Instances that keep sessions and lists of organizations in one Redis, and what PostgreSQL takes away from them.
#include "features/identity/people_cache.hpp"

#include <gtest/gtest.h>

#include "features/identity/revocations.hpp"
#include "features/test_people.hpp"
#include "redis/subscriber.hpp"

namespace buildplan::identity {
namespace {

using namespace std::chrono_literals;
using features::testing::KeyHolder;
using features::testing::Person;
using features::testing::Product;

// An instance that shares what it finds out. It hears of changes from PostgreSQL alone: every message is lost.
class Sharing : public Product {
public:
    explicit Sharing(std::string const& url = test_support::redis().url()) : Product(wishes_on(url)) {
        run([](Sharing& self, std::string at) -> task<> {
            self.parts_ = std::make_unique<Parts>(self.shard(), at);
            bool const live = co_await self.parts_->subscriber.wait_live(10s);
            bool const connected = co_await self.shard().redis->connected(10s);
            if (!live || !connected) throw std::runtime_error("no Redis");
            self.authentication().share(&self.parts_->people);
            self.shard().people = &self.parts_->people;
        }(*this, url));
        // The first token that is looked up is what makes it listen.
        KeyHolder const anybody;
        EXPECT_EQ(ask("GET", "/v1/workspaces", anybody.auth()).status, 200);
        auto const heard = now();
        while (now() < heard + 3ms) std::this_thread::yield();  // entries tell milliseconds
    }
    ~Sharing() {
        run([](Sharing& self) -> task<> {
            self.authentication().share(nullptr);
            self.shard().people = nullptr;
            co_await self.parts_->cache.drain();
            self.parts_->subscriber.close();
            self.parts_.reset();
        }(*this));
    }
    [[nodiscard]] int status(std::string const& auth) const { return ask("GET", "/v1/workspaces", auth).status; }
    [[nodiscard]] std::string cache_count(std::string_view what, std::string_view family) const {
        auto const text = ask("GET", "/metrics").body;
        auto const line = fmt::format("buildplan_cache_{}_total{{cache=\"{}\"}} ", what, family);
        auto const at = text.find(line);
        return at == std::string::npos ? "" : text.substr(at + line.size(), text.find('\n', at) - at - line.size());
    }

private:
    struct Parts {
        Parts(api::Shard& shard, std::string const& url)
            : subscriber(shard.loop, redis::Options::parse(url)),
              cache(shard.loop, *shard.redis, subscriber),
              people(shard.loop, cache, {.skew = 0ms}) {}
        redis::Subscriber subscriber;
        redis::Cache cache;
        PeopleCache people;
    };
    static api::testing::ServerWishes wishes_on(std::string const& url) {
        auto wishes = features::testing::product_wishes();
        wishes.redis_url = url;
        return wishes;
    }
    std::unique_ptr<Parts> parts_;
};

// Whether it comes about; within a second it should, and slow machines get more.
template <class Condition>
bool comes_about(Condition condition) {
    auto const last = now() + 10s;
    while (!condition()) {
        if (now() > last) return false;
    }
    return true;
}

class SharedSessions : public ::testing::Test {
protected:
    [[nodiscard]] std::string key() const { return "v1:session:" + person.session.to_string(); }
    [[nodiscard]] std::string entry(Sharing& server) const {
        std::string found;
        server.run([](api::Shard& shard, std::string at, std::string& out) -> task<> {
            auto const value = co_await shard.redis->command("GET", at);
            if (!value.is_nil()) out = value.as_text();
        }(server.shard(), key(), found));
        return found;
    }
    void put(Sharing& server, std::string value) const {
        server.run([](api::Shard& shard, std::string at, std::string text) -> task<> {
            co_await shard.redis->command("SET", at, text);
        }(server.shard(), key(), std::move(value)));
    }
    // The store is not waited for by whoever asked.
    [[nodiscard]] bool is_stored(Sharing& server) const {
        return comes_about([&] { return entry(server).find("ADMIN") != std::string::npos; });
    }

    KeyHolder organization;
    Person person{organization, "ADMIN"};
};

TEST_F(SharedSessions, AreLookedUpOnceForAllInstances) {
    Sharing here, there;
    auto const auth = person.auth(here, organization.id);
    EXPECT_EQ(here.status(auth), 200);
    EXPECT_TRUE(is_stored(here));
    EXPECT_EQ(there.status(auth), 200);
    EXPECT_EQ(here.cache_count("misses", "session"), "1");
    EXPECT_EQ(there.cache_count("misses", "session"), "0");
    EXPECT_EQ(there.cache_count("hits", "session"), "1");
    for (int i = 0; i < 8; ++i) EXPECT_EQ(there.status(auth), 200);
    EXPECT_EQ(there.cache_count("hits", "session"), "9") << "what the shard kept is a hit";
}

TEST_F(SharedSessions, LetNobodyInWhoWasRemovedThoughRedisStillKnowsThem) {
    Sharing here, there;
    auto const auth = person.auth(here, organization.id);
    EXPECT_EQ(here.status(auth), 200);
    EXPECT_TRUE(is_stored(here));
    EXPECT_EQ(there.status(auth), 200);
    auto const stale = entry(here);
    person.leave(organization.id);
    EXPECT_TRUE(comes_about([&] { return here.status(auth) == 401; }));
    EXPECT_TRUE(comes_about([&] { return there.status(auth) == 401; }));
    // Somebody puts the old entry back, as a load that began before the change would have.
    put(here, stale);
    EXPECT_EQ(here.status(auth), 401);
    put(here, stale);
    EXPECT_EQ(there.status(auth), 401);
    put(here, stale);
    Sharing new_here;  // has heard of nothing that was before it
    EXPECT_EQ(new_here.status(auth), 401);
}

TEST_F(SharedSessions, GoByANewRole) {
    Sharing here, there;
    auto const auth = person.auth(here, organization.id);
    auto const create = [&](Sharing& server) {
        return server.ask("POST", "/v1/workspaces", auth + "Content-Type: application/json\r\n", R"({"name":"A"})")
            .status;
    };
    EXPECT_EQ(create(here), 201);
    EXPECT_EQ(create(there), 201);
    person.become(organization.id, "VIEWER");
    EXPECT_TRUE(comes_about([&] { return create(here) == 403; }));
    EXPECT_TRUE(comes_about([&] { return create(there) == 403; }));
    EXPECT_EQ(here.status(auth), 200);
}

TEST_F(SharedSessions, BelongToOneOrganizationEach) {
    Sharing server;
    KeyHolder second;
    person.join(second.id, "VIEWER");
    auto const one = person.auth(server, organization.id), other = person.auth(server, second.id);
    auto const create = [&](std::string const& auth) {
        return server.ask("POST", "/v1/workspaces", auth + "Content-Type: application/json\r\n", R"({"name":"A"})")
            .status;
    };
    EXPECT_EQ(create(one), 201);
    EXPECT_EQ(create(other), 403);
    EXPECT_EQ(create(one), 201);
}

TEST_F(SharedSessions, SayThatTheOrganizationIsBeingDeleted) {
    Sharing here, there;
    auto const auth = person.auth(here, organization.id);
    EXPECT_EQ(here.status(auth), 200);
    EXPECT_EQ(there.status(auth), 200);
    auto const set = [&](char const* when) {
        Person::query(
            fmt::format("UPDATE organizations SET deleted_at = {0}, delete_after = {0} WHERE id = $1::uuid", when),
            {organization.id.to_string()});
    };
    set("now()");
    EXPECT_TRUE(comes_about([&] { return here.status(auth) == 403; }));
    EXPECT_TRUE(comes_about([&] { return there.status(auth) == 403; }));
    Sharing later;
    EXPECT_EQ(later.status(auth), 403);
    set("NULL");
    EXPECT_TRUE(comes_about([&] { return later.status(auth) == 200; }));
    EXPECT_TRUE(comes_about([&] { return here.status(auth) == 200; }));
}

TEST_F(SharedSessions, ThatCannotBeReadAreLookedUp) {
    Sharing here;
    auto const auth = person.auth(here, organization.id);
    EXPECT_EQ(here.status(auth), 200);
    EXPECT_TRUE(is_stored(here));
    auto changed = entry(here);
    changed.replace(changed.find("organizationDeleted"), 1, "O");
    Sharing there;
    put(there, changed);
    EXPECT_EQ(there.status(auth), 200);
}

TEST_F(SharedSessions, AreDoneWithoutWhenRedisIsGone) {
    auto const redis = test_support::start_redis();
    Sharing server(redis->url());
    redis->kill9();
    EXPECT_EQ(server.status(person.auth(server, organization.id)), 200);
    person.sign_out();
    EXPECT_TRUE(comes_about([&] { return server.status(person.auth(server, organization.id)) == 401; }));
}

TEST_F(SharedSessions, KnowWhichOrganizationsSomebodyIsIn) {
    Sharing here, there;
    auto const auth = person.auth(here, organization.id);
    auto const mine = [&](Sharing& server) {
        auto const answer = server.ask("GET", "/v1/organizations?limit=50", auth);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return answer.body;
    };
    EXPECT_NE(mine(here).find("ADMIN"), std::string::npos);
    EXPECT_TRUE(
        comes_about([&] { return mine(there) == mine(here) && there.cache_count("hits", "user_orgs") != "0"; }));
    person.become(organization.id, "MANAGER");
    EXPECT_TRUE(comes_about([&] { return mine(there).find("MANAGER") != std::string::npos; }));
    EXPECT_TRUE(comes_about([&] { return mine(here).find("MANAGER") != std::string::npos; }));
    auto const made =
        here.ask("POST", "/v1/organizations", auth + "Content-Type: application/json\r\n", R"({"name":"Another one"})");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_TRUE(comes_about([&] { return mine(here).find("Another one") != std::string::npos; }));
    EXPECT_TRUE(comes_about([&] { return mine(there).find("Another one") != std::string::npos; }));
    auto const first = here.ask("GET", "/v1/organizations?limit=1", auth).json();
    EXPECT_EQ(first.at("items").as_array().size(), 1u);
    auto const cursor = std::string(first.at("nextCursor").as_string());
    EXPECT_EQ(here.ask("GET", "/v1/organizations?limit=1&cursor=" + cursor, auth).json().at("items").as_array().size(),
              1u);
}

}  // namespace
}  // namespace buildplan::identity
