#include "api/system_routes.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "api/test_routes.hpp"
#include "api/test_server.hpp"

namespace buildplan::api::testing {
namespace {

class SystemRoutesTest : public ::testing::Test {
protected:
    TestServer server{test_tables()};
    Tenant us;
};

TEST_F(SystemRoutesTest, HealthSaysWhichVersionIsAlive) {
    auto const answer = server.ask("GET", "/health");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.text("status"), "ok");
    EXPECT_EQ(answer.text("version"), "0.0.0");
}

TEST_F(SystemRoutesTest, ReadyWithoutRedisIsReadyAndSaysSo) {
    auto const answer = server.ask("GET", "/ready");
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.json().at("ready").as_bool());
    EXPECT_EQ(answer.text("postgres"), "ok");
    EXPECT_EQ(answer.text("redis"), "degraded");
}

TEST_F(SystemRoutesTest, NotReadyWhileTheProcessStops) {
    server.shard().constants.serving = false;
    auto const answer = server.ask("GET", "/ready");
    EXPECT_EQ(answer.status, 503);
    EXPECT_FALSE(answer.json().at("ready").as_bool());
    EXPECT_EQ(answer.header("Retry-After"), "1");
    EXPECT_EQ(server.ask("GET", "/health").status, 200);
}

TEST(Readiness, WithRedisIsComplete) {
    TestServer server{test_tables(), {.redis_url = test_support::redis().url()}};
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (server.ask("GET", "/ready").text("redis") != "ok") ASSERT_LT(std::chrono::steady_clock::now(), last);
}

TEST(Readiness, IsNotThereWithoutPostgres) {
    auto const nowhere = test_support::make_temporary_folder("nowhere");
    TestServer server{test_tables(),
                      {.wait = std::chrono::milliseconds{100}, .app_url = "postgresql:///x?host=" + nowhere.native()}};
    Tenant us;
    auto const answer = server.ask("GET", "/ready");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.text("postgres"), "down");
    EXPECT_EQ(server.ask("GET", "/health").status, 200);
    auto const write = server.ask("POST", "/v1/events", us.json(), R"({"topic":"a"})");
    EXPECT_EQ(write.status, 503);
    EXPECT_EQ(write.text("code"), "unavailable");
    EXPECT_FALSE(write.header("Retry-After").empty());
}

TEST_F(SystemRoutesTest, MetricsCountEachRouteByClass) {
    EXPECT_EQ(server.ask("GET", "/v1/things", us.auth()).status, 200);
    EXPECT_EQ(server.ask("GET", "/v1/things?limit=1", us.auth()).status, 200);
    EXPECT_EQ(server.ask("GET", "/v1/things").status, 401);
    EXPECT_EQ(server.ask("GET", "/v1/things/7", us.auth()).status, 404);
    EXPECT_EQ(server.ask("GET", "/v1/nothing").status, 404);
    auto const text = server.ask("GET", "/metrics").body;
    auto const has = [&](std::string_view line) { return text.find(line) != std::string::npos; };
    EXPECT_TRUE(has(R"(buildplan_http_requests_total{route="/v1/things",method="GET",status="2xx"} 2)")) << text;
    EXPECT_TRUE(has(R"(buildplan_http_requests_total{route="/v1/things",method="GET",status="4xx"} 1)"));
    EXPECT_TRUE(has(R"(buildplan_http_requests_total{route="/v1/things/{thingId}",method="GET",status="4xx"} 1)"));
    EXPECT_TRUE(has(R"(buildplan_http_requests_total{route="unmatched",method="any",status="4xx"} 1)"));
    EXPECT_TRUE(has(R"(buildplan_http_request_duration_seconds_count{route="/v1/things",method="GET"} 3)"));
    EXPECT_TRUE(has("buildplan_http_requests_in_flight 1"));  // this one
}

TEST_F(SystemRoutesTest, MetricsAreWhatPrometheusReads) {
    auto const answer = server.ask("GET", "/metrics");
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    auto const file = test_support::make_temporary_folder("metrics") / "metrics.txt";
    std::ofstream(file) << answer.body;
    EXPECT_EQ(std::system(fmt::format("promtool check metrics < {} 2>&1", file.native()).c_str()), 0);
}

TEST_F(SystemRoutesTest, TheReferenceIsServedWithoutAuthentication) {
    auto const openapi = server.ask("GET", "/openapi.json");
    EXPECT_EQ(openapi.status, 200);
    EXPECT_EQ(openapi.json().at("openapi").as_string(), "3.1.0");
    EXPECT_EQ(server.ask("GET", "/openapi.json", "If-None-Match: " + openapi.header("ETag") + "\r\n").status, 304);

    auto const page = server.ask("GET", "/docs");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_NE(page.header("Content-Security-Policy").find("default-src 'none'"), std::string::npos);
    EXPECT_EQ(server.ask("GET", "/docs/style.css").header("Content-Type"), "text/css; charset=utf-8");
}

TEST_F(SystemRoutesTest, TheReferencePagesNeedNothingFromElsewhere) {
    for (auto const path : {"/docs", "/docs/problems", "/docs/style.css"}) {
        auto const body = server.ask("GET", path).body;
        for (auto const foreign : {"http://", "https://", "src=", "@import", "<script", "style="}) {
            if (std::string_view(foreign).starts_with("http") && body.find("https://example.com") != std::string::npos)
                continue;
            EXPECT_EQ(body.find(foreign), std::string::npos) << path << " " << foreign;
        }
    }
}

TEST_F(SystemRoutesTest, EveryKindOfProblemIsExplainedWhereItsTypePoints) {
    auto const page = server.ask("GET", "/docs/problems").body;
    for (auto const path : {"/v1/nothing", "/v1/things", "/v1/things?x"}) {
        auto const type = server.ask("GET", path).text("type");
        auto const anchor = type.substr(type.find('#') + 1);
        EXPECT_TRUE(type.starts_with("/docs/problems#"));
        EXPECT_NE(page.find(fmt::format("id=\"{}\"", anchor)), std::string::npos) << anchor;
    }
    EXPECT_NE(page.find("id=\"event-refused\""), std::string::npos);
}

}  // namespace
}  // namespace buildplan::api::testing
