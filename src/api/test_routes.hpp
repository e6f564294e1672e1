// For tests: a small table over the tables that are there, to drive the pipeline with.
#pragma once

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/response.hpp"
#include "api/system_routes.hpp"
#include "api/tx.hpp"
#include "postgres/pool.hpp"
#include "postgres/test_pool.hpp"

namespace buildplan::api::testing {

struct NewEvent {
    std::string topic;
    std::optional<std::int32_t> number;
};
BOOST_DESCRIBE_STRUCT(NewEvent, (), (topic, number))
constexpr auto json_rules(NewEvent const*) {
    return json::fields(json::field("topic").length(1, 20), json::field("number").range(1, 9));
}

struct EventMade {
    std::string topic;
};
BOOST_DESCRIBE_STRUCT(EventMade, (), (topic))

struct Filter {
    std::optional<std::int32_t> number;
    std::vector<std::string> state;
    bool all = false;
};
BOOST_DESCRIBE_STRUCT(Filter, (), (number, state, all))
constexpr auto json_rules(Filter const*) {
    return json::fields(json::field("number").range(1, 9), json::field("state").items(0, 2).defaulted(),
                        json::field("all").defaulted());
}

using ThingId = Id<struct ThingTag>;

using AddEvent = postgres::testing::Sql<"test.add_event",
                                        "INSERT INTO outbox (organization_id, topic, payload) "
                                        "VALUES (current_setting('app.current_organization_id')::uuid, $1, '{}')",
                                        void, std::string_view>;
// Waits while the test holds the lock of that number.
using Wait = postgres::testing::Sql<"test.wait", "SELECT 1 FROM (SELECT pg_advisory_xact_lock_shared($1)) AS held",
                                    std::optional<std::int32_t>, std::int64_t>;
// Fails with a serialization failure until it was called so often.
using FailUntil =
    postgres::testing::Sql<"test.fail_until", "SELECT fail_until($1)", std::optional<std::int32_t>, std::int32_t>;

inline EventMade made_of(NewEvent const& draft) { return {draft.topic}; }

inline task<Response> create_event(Tx& tx, Call const& call) {
    auto const draft = call.json<NewEvent>();
    AddEvent const query(draft.topic);
    co_await tx.commit_with(query);
    auto response = created(made_of(draft), "/v1/events/" + draft.topic);
    response.header("ETag", "\"1\"");
    co_return response;
}

inline task<Response> create_counted(Tx& tx, Call const& call) { return create_event(tx, call); }

inline task<Response> create_slowly(Tx& tx, Call const& call) {
    auto const draft = call.json<NewEvent>();
    AddEvent const query(draft.topic);
    co_await tx.run(query);
    Wait const wait(4711);
    co_await tx.one(wait);
    co_return created(made_of(draft), "/v1/events/" + draft.topic);
}

inline task<Response> create_and_fail(Tx& tx, Call const& call) {
    auto const draft = call.json<NewEvent>();
    AddEvent const query(draft.topic);
    co_await tx.run(query);
    if (draft.number) throw problems::conflict("event-refused", "Not this one.");
    co_return json_response(409, made_of(draft));
}

inline task<Response> create_at_third_try(Tx& tx, Call const& call) {
    auto const draft = call.json<NewEvent>();
    AddEvent const add(draft.topic);
    co_await tx.run(add);
    FailUntil const fail(3);
    co_await tx.one(fail);
    co_return created(made_of(draft), "/v1/events/" + draft.topic);
}

inline task<Response> crash(Shard&, Call const&) {
    throw std::runtime_error("the password is hunter2");
    co_return Response{};
}

inline task<Response> get_thing(Shard&, Call const& call) {
    auto const id = call.path<ThingId>("thingId");
    co_return with_etag(ok(EventMade{id.to_string()}), id, 3);
}

inline task<Response> delete_thing(Tx&, Call const& call) {
    auto const match = call.if_match(call.path<ThingId>("thingId"));
    if (!match.anything && match.versions != std::vector<std::int64_t>{3})
        throw problems::precondition_failed("It has changed.");
    co_return no_content();
}

inline task<Response> list_things(Shard&, Call const& call) {
    auto const filter = call.query<Filter>();
    co_return ok(EventMade{fmt::format("{} {} {} {} {}", filter.number.value_or(0), filter.state.size(), filter.all,
                                       call.limit(), call.sort())});
}

inline task<Response> look_at_installation(Shard&, Call const&) { co_return no_content(); }

inline task<Response> ask_for_too_much(Shard&, Call const& call) {
    static_cast<void>(call.path<ThingId>("anotherId"));
    co_return Response{};
}

inline constexpr auto events = tag("Events", "What the tests make.");

inline constexpr Route test_table[] = {
    {"POST", "/v1/events", "events.create", handle<create_event>, "Create", events, query<Filter>,
     body<NewEvent>.example(R"({"topic":"a"})"), returns<EventMade>(201), body_limit(100)},
    {"POST", "/v1/slow", "events.create", handle<create_slowly>, "Create slowly", events, body<NewEvent>,
     returns<EventMade>(201)},
    {"POST", "/v1/failing", "events.create", handle<create_and_fail>, "Create and fail", events, body<NewEvent>,
     returns<EventMade>(201), fails(409, "event-refused", "The event cannot be.")},
    {"POST", "/v1/third", "events.create", handle<create_at_third_try>, "Create at the third try", events,
     body<NewEvent>, returns<EventMade>(201)},
    {"POST", "/v1/counted", "events.create", handle<create_counted>, "Create what is counted", events, body<NewEvent>,
     returns<EventMade>(201), counts_as("requests")},
    {"GET", "/v1/crash", any_principal, handle<crash>, "Crash", events, returns_nothing()},
    {"GET", "/v1/things", "things.read", handle<list_things>, "List", events, query<Filter>, paged("-age", "name"),
     returns<EventMade>()},
    {"GET", "/v1/things/{thingId}", "things.read", handle<get_thing>, "Get", events, returns<EventMade>(), versioned,
     deprecated("2027-01-31"), sunset("2027-06-30")},
    {"DELETE", "/v1/things/{thingId}", "things.delete", handle<delete_thing>, "Delete", events, returns_nothing(),
     match_required},
    {"GET", "/v1/installation", installation_owner, handle<look_at_installation>, "Look at the installation", events,
     returns_nothing()},
    {"GET", "/v1/wrong/{thingId}", "things.read", handle<ask_for_too_much>, "Ask for what is not declared", events,
     returns_nothing()},
};

inline RouteTables test_tables() {
    static std::array<std::span<Route const>, 2> const tables{std::span<Route const>(test_table), system_routes()};
    return tables;
}

}  // namespace buildplan::api::testing
