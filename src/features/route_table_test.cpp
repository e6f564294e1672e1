// Walks all routes of the product: what every row must have, whoever writes it.
#include "features/route_table.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "api/openapi.hpp"
#include "api/problem_response.hpp"
#include "api/router.hpp"
#include "core/problem.hpp"
#include "fmt/core.h"
#include "tests/isolation/cases.hpp"

namespace buildplan::features {
namespace {

template <class Check>
void for_each_route(Check check) {
    for (auto const& table : route_tables()) {
        for (auto const& route : table) {
            SCOPED_TRACE(fmt::format("{} {}", to_text(route.method), route.path));
            check(route);
        }
    }
}

// What may be asked without saying who one is. Each is here for a reason that somebody thought about.
constexpr std::string_view open_routes[] = {
    "/health",
    "/ready",
    "/metrics",  // whoever runs the installation; guarded by the network
    "/openapi.json",
    "/docs",
    "/docs/problems",
    "/docs/style.css",         // the same for everybody
    "/.well-known/jwks.json",  // public halves
    // Before one is somebody: each proves itself by what it carries (a password, a mailed token, a refresh token).
    "/auth/register",
    "/auth/login",
    "/auth/refresh",
    "/auth/forgot-password",
    "/auth/reset-password",
    "/auth/verify-email",
};

TEST(RouteTable, CanBeRouted) { EXPECT_NO_THROW(api::Router{route_tables()}); }

TEST(RouteTable, IsOpenOnlyWhereItIsMeantToBe) {
    for_each_route([](api::Route const& route) {
        if (route.access.kind != api::Access::Kind::anybody) return;
        EXPECT_TRUE(std::ranges::count(open_routes, route.path)) << "says api::open and is not on the list";
    });
}

TEST(RouteTable, SaysWhatEachRouteIsFor) {
    for_each_route([](api::Route const& route) {
        EXPECT_FALSE(route.summary.empty());
        EXPECT_FALSE(route.tag_description.empty());
    });
}

TEST(RouteTable, HasACrossTenantCaseForEachRouteOfATenant) {
    std::set<std::string> named;
    for (auto const& each : isolation::cases) named.insert(fmt::format("{} {}", each.method, each.path));
    std::set<std::string> routes;
    for_each_route([&](api::Route const& route) {
        auto const name = fmt::format("{} {}", to_text(route.method), route.path);
        routes.insert(name);
        if (route.access.kind != api::Access::Kind::permission) return;
        EXPECT_TRUE(named.contains(name)) << "add it to tests/isolation/cases.hpp";
    });
    for (auto const& name : named) EXPECT_TRUE(routes.contains(name)) << name << " is no route any more";
}

TEST(RouteTable, HasExamplesThatAreTrue) {
    for_each_route([](api::Route const& route) {
        if (!route.body_example.empty()) EXPECT_NO_THROW(route.body.try_decode(route.body_example));
        for (auto const& answer : route.answers) {
            if (answer.shape && !answer.example.empty()) EXPECT_NO_THROW(answer.shape.try_decode(answer.example));
        }
        if (route.writes() && route.body) EXPECT_FALSE(route.body_example.empty());
    });
}

TEST(RouteTable, GivesACodeOneMeaning) {
    std::map<std::string_view, std::pair<int, std::string_view>> seen;
    for_each_route([&](api::Route const& route) {
        for (auto const& failure : route.failures) {
            auto const [found, added] = seen.try_emplace(failure.code, failure.status, failure.description);
            EXPECT_EQ(found->second, (std::pair{failure.status, failure.description}));
        }
    });
    for (auto const& kind : api::common_problems()) EXPECT_FALSE(seen.contains(kind.code)) << kind.code;
}

TEST(OpenApiDocument, IsCheckedInAsItIs) {
    std::ifstream file("openapi/openapi.json");
    ASSERT_TRUE(file) << "run from the top of the repository";
    std::ostringstream text;
    text << file.rdbuf();
    std::ifstream version_file("VERSION");
    std::string version;
    std::getline(version_file, version);
    EXPECT_TRUE(text.str() == api::pretty(api::openapi_document(route_tables(), version)))
        << "stale: build/release/buildplan openapi > openapi/openapi.json";
}

}  // namespace
}  // namespace buildplan::features
