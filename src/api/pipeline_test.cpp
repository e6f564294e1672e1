#include "api/pipeline.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "api/test_routes.hpp"
#include "api/test_server.hpp"

namespace buildplan::api::testing {
namespace {

constexpr std::string_view thing = "/v1/things/0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f";

class PipelineTest : public ::testing::Test {
protected:
    // What every problem has.
    static void expect_problem(HttpAnswer const& answer, int status, std::string_view code) {
        ASSERT_EQ(answer.status, status) << answer.body;
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
        EXPECT_EQ(answer.header("Cache-Control"), "no-store");
        auto const problem = answer.json().as_object();
        EXPECT_EQ(problem.at("status").as_int64(), status);
        EXPECT_EQ(problem.at("code").as_string(), code);
        EXPECT_EQ(problem.at("type").as_string(), "/docs/problems#" + std::string(code));
        EXPECT_EQ(problem.at("title").as_string(), status_phrase(status));
        EXPECT_FALSE(problem.at("detail").as_string().empty());
        EXPECT_TRUE(problem.at("instance").as_string().starts_with("/"));
        EXPECT_EQ(problem.at("requestId").as_string(), answer.header("X-Request-Id"));
    }
    TestServer server{test_tables()};
    Tenant us;
};

TEST_F(PipelineTest, AnUnknownPathIsNotFound) { expect_problem(server.ask("GET", "/v1/nothing"), 404, "not-found"); }

TEST_F(PipelineTest, AnotherMethodIsToldWhatThePathTakes) {
    auto const answer = server.ask("PATCH", thing);
    expect_problem(answer, 405, "method-not-allowed");
    EXPECT_EQ(answer.header("Allow"), "GET, HEAD, DELETE, OPTIONS");
}

TEST_F(PipelineTest, WhatIsForTheInstallationIsForNoOrganizationsOwner) {
    expect_problem(server.ask("GET", "/v1/installation"), 401, "unauthenticated");
    expect_problem(server.ask("GET", "/v1/installation", us.auth("*")), 403, "forbidden");
    expect_problem(server.ask("GET", "/v1/installation", us.auth("installation events.read")), 403, "forbidden");
    EXPECT_EQ(server.ask("GET", "/v1/installation", us.auth("INSTALLATION")).status, 204);
}

TEST_F(PipelineTest, WhoeverRunsTheInstallationHasNoPermissionByThat) {
    expect_problem(server.ask("GET", thing, us.auth("INSTALLATION")), 403, "forbidden");
}

TEST_F(PipelineTest, RingsTheBellAfterWhatItHasWrittenAndNotOtherwise) {
    auto& rings =
        server.shard().loop.metrics().counter("buildplan_bell_rings_total", "", {{"channel", "buildplan_outbox"}});
    EXPECT_EQ(server.ask("GET", thing, us.auth()).status, 200);
    EXPECT_EQ(server.ask("POST", "/v1/failing", us.json(), R"({"topic":"a"})").status, 409);
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    EXPECT_EQ(rings.value(), 0u);
    EXPECT_EQ(server.ask("POST", "/v1/events", us.json(), R"({"topic":"a"})").status, 201);
    for (int i = 0; i < 500 && rings.value() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{10});
    EXPECT_EQ(rings.value(), 1u);
}

TEST_F(PipelineTest, OptionsAreAnsweredOutOfTheTable) {
    auto const answer = server.ask("OPTIONS", thing);
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.header("Allow"), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(server.ask("OPTIONS", "/v1/nothing").status, 404);
}

TEST_F(PipelineTest, HeadIsAGetWithoutItsContent) {
    auto const get = server.ask("GET", thing, us.auth());
    auto const head = server.ask("HEAD", thing, us.auth());
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("ETag"), get.header("ETag"));
    EXPECT_EQ(head.header("Content-Length"), std::to_string(get.body.size()));
    EXPECT_TRUE(head.body.empty());
}

TEST_F(PipelineTest, NobodyIsToldHowToAuthenticate) {
    auto const answer = server.ask("GET", thing);
    expect_problem(answer, 401, "unauthenticated");
    EXPECT_EQ(answer.header("WWW-Authenticate"), R"(Bearer realm="buildplan")");
    auto const bad = server.ask("GET", thing, "Authorization: Bearer nonsense\r\n");
    expect_problem(bad, 401, "unauthenticated");
    EXPECT_EQ(bad.header("WWW-Authenticate"), R"(Bearer realm="buildplan", error="invalid_token")");
    EXPECT_NE(bad.text("detail"), server.ask("GET", thing, "Authorization: Basic bm9ib2R5\r\n").text("detail"));
}

TEST_F(PipelineTest, WhoLacksThePermissionIsForbidden) {
    expect_problem(server.ask("GET", thing, us.auth("things.delete")), 403, "forbidden");
    EXPECT_EQ(server.ask("GET", thing, us.auth("things.*")).status, 200);
    EXPECT_EQ(server.ask("GET", thing, us.auth("things.read")).status, 200);
    expect_problem(server.ask("POST", "/v1/events", us.json("things.*"), R"({"topic":"a"})"), 403, "forbidden");
    EXPECT_EQ(us.count("outbox"), "0");
}

TEST_F(PipelineTest, AnIdThatIsNoneIsNotFoundForThoseWhoMayAsk) {
    expect_problem(server.ask("GET", "/v1/things/7", us.auth()), 404, "not-found");
    expect_problem(server.ask("GET", "/v1/things/7", us.auth("other")), 403, "forbidden");
    expect_problem(server.ask("GET", "/v1/things/7"), 401, "unauthenticated");
}

TEST_F(PipelineTest, ABodyOfAnotherTypeIsUnsupported) {
    expect_problem(server.ask("POST", "/v1/events", us.auth() + "Content-Type: text/plain\r\n", "{}"), 415,
                   "unsupported-media-type");
    expect_problem(server.ask("POST", "/v1/events", us.auth(), R"({"topic":"a"})"), 415, "unsupported-media-type");
    expect_problem(server.ask("POST", "/v1/events", us.auth()), 400, "malformed");
    EXPECT_EQ(server
                  .ask("POST", "/v1/events", us.auth() + "Content-Type: Application/JSON; charset=utf-8\r\n",
                       R"({"topic":"a"})")
                  .status,
              201);
}

TEST_F(PipelineTest, ABodyThatIsNoJsonIsMalformed) {
    expect_problem(server.ask("POST", "/v1/events", us.json(), "{"), 400, "malformed");
}

TEST_F(PipelineTest, FieldsThatDoNotFitAreNamed) {
    auto const answer = server.ask("POST", "/v1/events", us.json(), R"({"topic":"","number":10,"more":1})");
    expect_problem(answer, 422, "invalid");
    std::set<std::string> pointers;
    for (auto const& error : answer.json().at("errors").as_array()) {
        pointers.emplace(error.at("pointer").as_string());
        EXPECT_FALSE(error.at("code").as_string().empty());
        EXPECT_FALSE(error.at("detail").as_string().empty());
    }
    EXPECT_EQ(pointers, (std::set<std::string>{"/topic", "/number", "/more"}));
}

TEST_F(PipelineTest, ABodyBeyondTheRoutesLimitIsTooLarge) {
    auto const body = fmt::format(R"({{"topic":"{}"}})", std::string(200, 'a'));
    expect_problem(server.ask("POST", "/v1/events", us.json(), body), 413, "body-too-large");
}

TEST_F(PipelineTest, WhatGoesWrongInsideIsNotTold) {
    auto const answer = server.ask("GET", "/v1/crash", us.auth("nothing"));
    expect_problem(answer, 500, "internal");
    EXPECT_EQ(answer.body.find("hunter2"), std::string::npos);
    expect_problem(server.ask("GET", "/v1/wrong/0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", us.auth()), 500, "internal");
}

TEST_F(PipelineTest, TheQueryIsReadByTypes) {
    EXPECT_EQ(server.ask("GET", "/v1/things", us.auth()).text("topic"), "0 0 false 20 -age");
    EXPECT_EQ(
        server.ask("GET", "/v1/things?number=7&state=a&state=b&all=true&limit=100&sort=name", us.auth()).text("topic"),
        "7 2 true 100 name");
}

TEST_F(PipelineTest, AQueryThatDoesNotFitIsNamed) {
    auto const pointer = [&](std::string_view query) {
        auto const answer = server.ask("GET", fmt::format("/v1/things?{}", query), us.auth());
        expect_problem(answer, 422, "invalid");
        auto const errors = answer.json().at("errors").as_array();
        return std::string(errors.at(0).at("pointer").as_string());
    };
    EXPECT_EQ(pointer("number=x"), "?number");
    EXPECT_EQ(pointer("number=10"), "?number");
    EXPECT_EQ(pointer("number=1&number=2"), "?number");
    EXPECT_EQ(pointer("all=yes"), "?all");
    EXPECT_EQ(pointer("more=1"), "?more");
    EXPECT_EQ(pointer("limit=0"), "?limit");
    EXPECT_EQ(pointer("limit=101"), "?limit");
    EXPECT_EQ(pointer("limit=1x"), "?limit");
    EXPECT_EQ(pointer("sort=age"), "?sort");
    EXPECT_EQ(pointer("limit=1&limit=2"), "?limit");
}

TEST_F(PipelineTest, AQueryThatTheRouteDoesNotHaveIsNamedToo) {
    auto const answer = server.ask("GET", fmt::format("{}?x=1&sort=name", thing), us.auth());
    expect_problem(answer, 422, "invalid");
    EXPECT_EQ(answer.json().at("errors").as_array().size(), 2u);
    EXPECT_EQ(server.ask("GET", "/health?x=1").status, 200) << "links to what is open may carry anything";
}

TEST_F(PipelineTest, WhatHasNotChangedIsNotSentAgain) {
    auto const etag = server.ask("GET", thing, us.auth()).header("ETag");
    auto const again = server.ask("GET", thing, us.auth() + "If-None-Match: W/" + etag + "\r\n");
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.header("ETag"), etag);
    EXPECT_TRUE(again.body.empty());
    EXPECT_EQ(server.ask("GET", thing, us.auth() + "If-None-Match: \"x\"\r\n").status, 200);
}

TEST_F(PipelineTest, IfMatchIsDemandedWhereTheRouteSaysSo) {
    expect_problem(server.ask("DELETE", thing, us.auth()), 428, "precondition-required");
    expect_problem(server.ask("DELETE", thing, us.auth() + "If-Match: \"2.5e8a1c2b4d6f\"\r\n"), 412,
                   "precondition-failed");
    expect_problem(server.ask("DELETE", thing, us.auth() + "If-Match: nonsense\r\n"), 400, "malformed");
    EXPECT_EQ(server.ask("DELETE", thing, us.auth() + "If-Match: \"3.5e8a1c2b4d6f\"\r\n").status, 204);
}

TEST_F(PipelineTest, WhatGoesAwayIsAnnounced) {
    auto const answer = server.ask("GET", thing, us.auth());
    EXPECT_EQ(answer.header("Deprecation"), "@1801353600");
    EXPECT_EQ(answer.header("Sunset"), "Wed, 30 Jun 2027 00:00:00 GMT");
}

TEST_F(PipelineTest, TenantsAnswersAreNotKeptByOthers) {
    EXPECT_EQ(server.ask("GET", thing, us.auth()).header("Cache-Control"), "private, no-cache");
    EXPECT_EQ(server.ask("GET", "/v1/things", us.auth()).header("Cache-Control"), "no-store");
}

TEST_F(PipelineTest, ManyRequestsOnOneConnectionAreAnsweredInOrder) {
    auto client = server.connect();
    client.send("GET", "/v1/things?limit=1", us.auth(), {});
    client.send("GET", "/v1/nothing", us.auth(), {});
    client.send("GET", "/v1/things?limit=2", us.auth(), {});
    EXPECT_EQ(client.receive().text("topic"), "0 0 false 1 -age");
    EXPECT_EQ(client.receive().status, 404);
    EXPECT_EQ(client.receive().text("topic"), "0 0 false 2 -age");
}

}  // namespace
}  // namespace buildplan::api::testing
