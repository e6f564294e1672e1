// What a request costs PostgreSQL, counted on the wire, and what happens when the wire is cut at the worst moment.
#include <gtest/gtest.h>

#include <algorithm>

#include "api/test_routes.hpp"
#include "api/test_server.hpp"
#include "tests/support/wire_proxy.hpp"

namespace buildplan::api::testing {
namespace {

using CountKeys =
    postgres::testing::Sql<"test.count_keys", "SELECT count(*) FROM idempotency_keys", std::optional<std::int64_t>>;

// The proxy of the test that is running: a handler is a free function.
test_support::WireProxy* cut_at_commit = nullptr;

task<Response> read_one(Shard& shard, Call const& call) {
    CountKeys const query;
    auto const count = co_await shard.postgres.one(call.principal(), query);
    co_return ok(EventMade{std::to_string(count.value_or(0))});
}

task<Response> create_and_lose_the_answer(Tx& tx, Call const& call) {
    auto const draft = call.json<NewEvent>();
    AddEvent const query(draft.topic);
    co_await tx.run(query);
    if (auto* const proxy = std::exchange(cut_at_commit, nullptr)) proxy->cut_next_answer();
    co_return created(made_of(draft), "/v1/events/" + draft.topic);
}

constexpr Route table[] = {
    {"GET", "/v1/count", "events.read", handle<read_one>, "Count", events, returns<EventMade>()},
    {"POST", "/v1/lossy", "events.create", handle<create_and_lose_the_answer>, "Lose", events, body<NewEvent>,
     returns<EventMade>(201)},
};

class OnTheWire : public ::testing::Test {
protected:
    static RouteTables tables() {
        static std::array<std::span<Route const>, 2> const both{std::span<Route const>(table),
                                                                std::span<Route const>(test_table)};
        return both;
    }
    ServerWishes through_proxy() const {
        ServerWishes wishes;
        wishes.app_url = proxy.url("buildplan_app", database().name());
        wishes.exclusive_connections = 1;
        return wishes;
    }
    // Of requests after the first ones, which prepare the statements. The key differs, so that all are done. What is
    // sent at once may leave in two pieces, and a server that answers the first before the second is there makes two
    // trips of them on the wire; so the fewest of some count.
    unsigned round_trips(std::string_view method, std::string_view path, std::string const& body, bool keyed) {
        auto const ask = [&] {
            auto const key = keyed ? fmt::format("Idempotency-Key: {}\r\n", ++keys) : std::string{};
            EXPECT_LT(server.ask(method, path, us.json() + key, body).status, 300);
        };
        // The shared lane has two connections; each prepares for itself.
        for (int i = 0; i < 8; ++i) ask();
        unsigned fewest = ~0u;
        for (int i = 0; i < 5; ++i) {
            auto const before = proxy.round_trips();
            ask();
            fewest = std::min(fewest, static_cast<unsigned>(proxy.round_trips() - before));
        }
        return fewest;
    }
    // All connections stand, so that the next thing said is the test's.
    void settle() {
        unsigned known = 0;
        do {
            known = proxy.connections();
            EXPECT_EQ(server.ask("GET", "/v1/count", us.json()).status, 200);
            auto const headers = us.json() + "Idempotency-Key: settle\r\n";
            EXPECT_EQ(server.ask("POST", "/v1/events", headers, R"({"topic":"s"})").status, 201);
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        } while (known != proxy.connections());
    }
    test_support::WireProxy proxy{test_support::make_temporary_folder("proxy"),
                                  test_support::postgres().socket_folder() / ".s.PGSQL.5432"};
    TestServer server{tables(), through_proxy()};
    Tenant us;
    int keys = 0;
};

TEST_F(OnTheWire, AReadOfOneStatementIsOneRoundTrip) { EXPECT_EQ(round_trips("GET", "/v1/count", "", false), 1u); }

TEST_F(OnTheWire, AWriteOfOneStatementIsOneRoundTrip) {
    EXPECT_EQ(round_trips("POST", "/v1/events", R"({"topic":"a"})", false), 1u);
}

TEST_F(OnTheWire, WithAKeyItIsThree) { EXPECT_EQ(round_trips("POST", "/v1/events", R"({"topic":"a"})", true), 3u); }

TEST_F(OnTheWire, ACommitWhoseAnswerIsLostIsFoundOutByTheKey) {
    settle();
    cut_at_commit = &proxy;
    auto const answer = server.ask("POST", "/v1/lossy", us.json() + "Idempotency-Key: k\r\n", R"({"topic":"a"})");
    EXPECT_EQ(cut_at_commit, nullptr);
    EXPECT_EQ(answer.status, 201) << answer.body;
    EXPECT_EQ(answer.text("topic"), "a");
    EXPECT_EQ(us.count("outbox"), "2");
}

TEST_F(OnTheWire, WithoutAKeyALostCommitIsSaid) {
    settle();
    cut_at_commit = &proxy;
    auto const answer = server.ask("POST", "/v1/lossy", us.json(), R"({"topic":"a"})");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.text("code"), "unavailable");
}

}  // namespace
}  // namespace buildplan::api::testing
