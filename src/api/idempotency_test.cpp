#include "api/idempotency.hpp"

#include <gtest/gtest.h>

#include "api/test_routes.hpp"
#include "api/test_server.hpp"

namespace buildplan::api::testing {
namespace {

constexpr std::string_view draft = R"({"topic":"one"})";

TEST(IdempotencyKeys, AreReadInBothForms) {
    EXPECT_EQ(parse_idempotency_key("abc-123"), "abc-123");
    EXPECT_EQ(parse_idempotency_key(" \"abc-123\" "), "abc-123");
    EXPECT_EQ(parse_idempotency_key(R"("a\"b\\c")"), R"(a"b\c)");
    EXPECT_EQ(parse_idempotency_key(std::string(255, 'k')), std::string(255, 'k'));
    for (auto const bad : {"", "\"\"", "\"", "\"a", "\"a\"b\"", R"("a\x")", R"("a\")", "a b", "a\tb", "ä"}) {
        EXPECT_FALSE(parse_idempotency_key(bad)) << bad;
    }
    EXPECT_FALSE(parse_idempotency_key(std::string(256, 'k')));
}

class IdempotencyTest : public ::testing::Test {
protected:
    static std::string with_key(Tenant const& who, std::string_view key) {
        return who.json() + fmt::format("Idempotency-Key: {}\r\n", key);
    }
    // Holds what create_slowly waits for.
    struct Hold {
        postgres::Session session{database().admin()};
        Hold() { session.execute("SELECT pg_advisory_lock(4711)"); }
        void release() { session.execute("SELECT pg_advisory_unlock(4711)"); }
        // Until so many statements of the application wait for a lock.
        void until_waiting(int count) {
            auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{10};
            for (;;) {
                auto const waiting = session.value(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                    "current_database()");
                if (std::stoi(waiting.value()) == count) return;
                ASSERT_LT(std::chrono::steady_clock::now(), last) << "waiting: " << waiting.value();
            }
        }
    };
    Tenant us;
};

TEST_F(IdempotencyTest, ARepeatGetsTheFirstAnswerAndDoesNothing) {
    TestServer server{test_tables()};
    auto const first = server.ask("POST", "/v1/events", with_key(us, "k"), draft);
    auto const again = server.ask("POST", "/v1/events", with_key(us, "\"k\""), draft);
    ASSERT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    for (auto const name : {"Content-Type", "Location", "ETag"})
        EXPECT_EQ(again.header(name), first.header(name)) << name;
    EXPECT_EQ(first.header("Idempotent-Replayed"), "");
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(us.count("outbox"), "1");
}

TEST_F(IdempotencyTest, WithoutAKeyEachRequestIsDone) {
    TestServer server{test_tables()};
    EXPECT_EQ(server.ask("POST", "/v1/events", us.json(), draft).status, 201);
    EXPECT_EQ(server.ask("POST", "/v1/events", us.json(), draft).status, 201);
    EXPECT_EQ(us.count("outbox"), "2");
    EXPECT_EQ(us.count("idempotency_keys"), "0");
}

TEST_F(IdempotencyTest, AnotherRequestUnderTheKeyIsRefused) {
    TestServer server{test_tables()};
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "k"), draft).status, 201);
    auto const body = server.ask("POST", "/v1/events", with_key(us, "k"), R"({"topic":"two"})");
    EXPECT_EQ(body.status, 409);
    EXPECT_EQ(body.text("code"), "idempotency-key-reused");
    EXPECT_EQ(server.ask("POST", "/v1/events?number=1", with_key(us, "k"), draft).text("code"),
              "idempotency-key-reused");
    EXPECT_EQ(server.ask("POST", "/v1/third", with_key(us, "k"), draft).text("code"), "idempotency-key-reused");
    EXPECT_EQ(us.count("outbox"), "1");
}

TEST_F(IdempotencyTest, ABadKeyIsRefused) {
    TestServer server{test_tables()};
    auto const answer = server.ask("POST", "/v1/events", with_key(us, "a b"), draft);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.text("code"), "invalid-idempotency-key");
    EXPECT_EQ(us.count("outbox"), "0");
}

TEST_F(IdempotencyTest, AKeyOfAnotherTenantIsUnknown) {
    TestServer server{test_tables()};
    Tenant them;
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "k"), draft).status, 201);
    auto const theirs = server.ask("POST", "/v1/events", with_key(them, "k"), R"({"topic":"two"})");
    EXPECT_EQ(theirs.status, 201);
    EXPECT_EQ(theirs.text("topic"), "two");
    EXPECT_EQ(them.count("outbox"), "1");
}

TEST_F(IdempotencyTest, AnErrorUndoesAllAndIsNotKept) {
    TestServer server{test_tables()};
    for (auto const body : {R"({"topic":"a","number":1})", R"({"topic":"a"})"}) {
        auto const thrown = server.ask("POST", "/v1/failing", with_key(us, "k"), body);
        EXPECT_EQ(thrown.status, 409);
        EXPECT_EQ(us.count("outbox"), "0");
        EXPECT_EQ(us.count("idempotency_keys"), "0");
    }
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "k"), "{}").status, 422);
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "k"), draft).status, 201);
}

TEST_F(IdempotencyTest, AnExpiredKeyIsFree) {
    TestServer server{test_tables()};
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "k"), draft).status, 201);
    postgres::Session(database().admin())
        .query("UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE organization_id = $1::uuid",
               {us.id.to_string()});
    auto const answer = server.ask("POST", "/v1/events", with_key(us, "k"), R"({"topic":"two"})");
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.text("topic"), "two");
    EXPECT_EQ(us.count("outbox"), "2");
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "k"), R"({"topic":"two"})").header("Idempotent-Replayed"),
              "true");
}

TEST_F(IdempotencyTest, ExpiredKeysAreSwept) {
    TestServer server{test_tables()};
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "old"), draft).status, 201);
    postgres::Session(database().admin())
        .query("UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE organization_id = $1::uuid",
               {us.id.to_string()});
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "new"), draft).status, 201);
    server.run([](TestServer& s) -> task<> { co_await sweep_idempotency_keys(s.shard().system); }(server));
    EXPECT_EQ(us.count("idempotency_keys"), "1");
    EXPECT_EQ(server.ask("POST", "/v1/events", with_key(us, "new"), draft).header("Idempotent-Replayed"), "true");
}

TEST_F(IdempotencyTest, TwinsHaveOneEffectAndOneAnswer) {
    TestServer server{test_tables(), {.lock_timeout = std::chrono::seconds{20}}};
    Hold hold;
    auto first = server.connect();
    auto second = server.connect();
    first.send("POST", "/v1/slow", with_key(us, "k"), draft);
    hold.until_waiting(1);
    second.send("POST", "/v1/slow", with_key(us, "k"), draft);
    hold.until_waiting(2);
    hold.release();
    auto const one = first.receive();
    auto const two = second.receive();
    EXPECT_EQ(one.status, 201) << one.body;
    EXPECT_EQ(two.status, 201) << two.body;
    EXPECT_EQ(one.body, two.body);
    EXPECT_EQ(one.header("Idempotent-Replayed"), "");
    EXPECT_EQ(two.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(us.count("outbox"), "1");
}

TEST_F(IdempotencyTest, ATwinThatWaitsTooLongIsToldSo) {
    TestServer patient{test_tables(), {.lock_timeout = std::chrono::seconds{20}}};
    TestServer hasty{test_tables(), {.lock_timeout = std::chrono::milliseconds{50}}};
    Hold hold;
    auto first = patient.connect();
    first.send("POST", "/v1/slow", with_key(us, "k"), draft);
    hold.until_waiting(1);
    auto const twin = hasty.ask("POST", "/v1/slow", with_key(us, "k"), draft);
    EXPECT_EQ(twin.status, 409);
    EXPECT_EQ(twin.text("code"), "idempotency-in-progress");
    EXPECT_EQ(twin.header("Retry-After"), "1");
    hold.release();
    EXPECT_EQ(first.receive().status, 201);
    EXPECT_EQ(hasty.ask("POST", "/v1/slow", with_key(us, "k"), draft).header("Idempotent-Replayed"), "true");
}

TEST_F(IdempotencyTest, ATwinTakesOverWhenTheFirstFails) {
    TestServer server{test_tables(), {.lock_timeout = std::chrono::seconds{20}}};
    Hold hold;
    auto first = server.connect();
    auto second = server.connect();
    first.send("POST", "/v1/slow", with_key(us, "k"), draft);
    hold.until_waiting(1);
    second.send("POST", "/v1/slow", with_key(us, "k"), draft);
    hold.until_waiting(2);
    first.close();  // its transaction is given up
    hold.until_waiting(1);
    hold.release();
    auto const two = second.receive();
    EXPECT_EQ(two.status, 201) << two.body;
    EXPECT_EQ(two.header("Idempotent-Replayed"), "");
    EXPECT_EQ(us.count("outbox"), "1");
}

TEST_F(IdempotencyTest, KilledBetweenEffectAndAnswerNothingIsLeft) {
    TestServer server{test_tables(), {.lock_timeout = std::chrono::seconds{20}}};
    Hold hold;
    auto client = server.connect();
    client.send("POST", "/v1/slow", with_key(us, "k"), draft);
    hold.until_waiting(1);
    hold.session.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
        "current_database()");
    EXPECT_EQ(client.receive().status, 503);
    EXPECT_EQ(us.count("outbox"), "0");
    EXPECT_EQ(us.count("idempotency_keys"), "0");
    hold.release();
    auto const again = client.ask("POST", "/v1/slow", with_key(us, "k"), draft);
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(us.count("outbox"), "1");
}

TEST_F(IdempotencyTest, ASerializationFailureRunsTheHandlerAgain) {
    postgres::Session(database().admin()).execute(R"(
        CREATE SEQUENCE attempts;
        GRANT USAGE ON attempts TO buildplan_app;
        CREATE FUNCTION fail_until(wanted integer) RETURNS integer LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('attempts') < wanted THEN RAISE SQLSTATE '40001'; END IF;
            RETURN 1;
        END $$;)");
    TestServer server{test_tables()};
    auto const answer = server.ask("POST", "/v1/third", with_key(us, "k"), draft);
    EXPECT_EQ(answer.status, 201) << answer.body;
    EXPECT_EQ(us.count("outbox"), "1");
    EXPECT_EQ(us.count("idempotency_keys"), "1");
}

}  // namespace
}  // namespace buildplan::api::testing
