#include "api/router.hpp"

#include <gtest/gtest.h>

#include "api/declarations.hpp"
#include "net/response.hpp"

namespace buildplan::api {
namespace {

task<Response> handler(Shard&, Call const&) { co_return Response{200}; }
constexpr auto run = handle<handler>;
constexpr auto any = returns_nothing(200);

constexpr Route things[] = {
    {"GET", "/", open, run, "Root", any},
    {"GET", "/v1/things", "things.read", run, "List", any},
    {"POST", "/v1/things", "things.create", run, "Create", any},
    {"GET", "/v1/things/{thingId}", "things.read", run, "Get", any},
    {"DELETE", "/v1/things/{thingId}", "things.delete", run, "Delete", any},
    {"GET", "/v1/things/search", "things.read", run, "Search", any},
    {"POST", "/v1/things/{thingId}/parts/{number:number}", "things.update", run, "Part", any},
    {"GET", "/v1/names/{name:text}", "things.read", run, "By name", any},
    {"GET", "/v1/names/{name:text}/old", "things.read", run, "Old", any},
    {"GET", "/v1/names/search/new", "things.read", run, "New", any},
    {"GET", "/files/{path:rest}", open, run, "File", any},
};
constexpr std::span<Route const> tables[] = {things};

constexpr std::string_view id = "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f";

class RouterFinds : public ::testing::Test {
protected:
    std::string found(std::string_view method, std::string_view path) const {
        auto const match = router.find(method, path);
        return match.entry ? std::string(match.entry->route->summary)
                           : "(" + (match.allowed.empty() ? "" : match.allowed.allow()) + ")";
    }
    Router router{tables};
};

TEST_F(RouterFinds, TheRowOfAMethodAndAPath) {
    EXPECT_EQ(found("GET", "/"), "Root");
    EXPECT_EQ(found("GET", "/v1/things"), "List");
    EXPECT_EQ(found("POST", "/v1/things"), "Create");
    EXPECT_EQ(found("GET", fmt::format("/v1/things/{}", id)), "Get");
    EXPECT_EQ(found("POST", fmt::format("/v1/things/{}/parts/7", id)), "Part");
}

TEST_F(RouterFinds, AGetForHead) { EXPECT_EQ(found("HEAD", "/v1/things"), "List"); }

TEST_F(RouterFinds, NothingForAnotherSpelling) {
    for (auto const path : {"/v1/things/", "/V1/things", "/v1//things", "/v1", "", "v1/things", "//",
                            "/v1/things/x/parts", "/v1/things/x/parts/1/2", "/v1/thing", "/v1/thingss"}) {
        EXPECT_EQ(found("GET", path), "()") << path;
    }
}

TEST_F(RouterFinds, WhatAPathTakesInstead) {
    EXPECT_EQ(found("PATCH", "/v1/things"), "(GET, HEAD, POST, OPTIONS)");
    EXPECT_EQ(found("get", "/v1/things"), "(GET, HEAD, POST, OPTIONS)");
    EXPECT_EQ(found("GET", fmt::format("/v1/things/{}/parts/7", id)), "(POST, OPTIONS)");
    EXPECT_EQ(router.methods(fmt::format("/v1/things/{}", id)).allow(), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_TRUE(router.methods("/nothing").empty());
}

TEST_F(RouterFinds, TheLiteralBeforeTheParameter) { EXPECT_EQ(found("GET", "/v1/things/search"), "Search"); }

TEST_F(RouterFinds, TheParameterWhereTheLiteralLeadsNowhere) {
    EXPECT_EQ(found("GET", "/v1/names/search/new"), "New");
    EXPECT_EQ(found("GET", "/v1/names/search/old"), "Old");
    EXPECT_EQ(found("GET", "/v1/names/search"), "By name");
}

TEST_F(RouterFinds, EverythingBelowARest) {
    EXPECT_EQ(found("GET", "/files/a/b/c"), "File");
    EXPECT_EQ(found("GET", "/files/a"), "File");
    EXPECT_EQ(found("GET", "/files"), "()");
}

TEST(PathValues, AreWhatThePathSays) {
    Router const router{tables};
    auto const path = fmt::format("/v1/things/{}/parts/7", id);
    auto const match = router.find("POST", path);
    auto const values = read_path(*match.entry, path);
    EXPECT_TRUE(values.fit);
    EXPECT_EQ(values.values[0], id);
    EXPECT_EQ(values.values[1], "7");

    auto const file = router.find("GET", "/files/a/b");
    EXPECT_EQ(read_path(*file.entry, "/files/a/b").values[0], "a/b");
}

TEST(PathValues, DoNotFitWhatTheirKindIsNot) {
    Router const router{tables};
    auto const fit = [&](std::string const& path) {
        auto const match = router.find("POST", path).entry ? router.find("POST", path) : router.find("GET", path);
        return match.entry && read_path(*match.entry, path).fit;
    };
    EXPECT_FALSE(fit("/v1/things/not-an-id"));
    EXPECT_FALSE(fit(fmt::format("/v1/things/{}/parts/x", id)));
    EXPECT_FALSE(fit(fmt::format("/v1/things/{}/parts/-1", id)));
    EXPECT_FALSE(fit(fmt::format("/v1/things/{}/parts/9999999999999999999", id)));
    EXPECT_TRUE(fit("/v1/names/caf%C3%A9"));
    EXPECT_TRUE(fit("/v1/names/a%2Fb"));
    EXPECT_FALSE(fit("/v1/names/a%00b"));
    EXPECT_FALSE(fit("/v1/names/%FF"));
    EXPECT_FALSE(fit("/v1/names/" + std::string(256, 'a')));
}

TEST(RouterIsNotBuilt, FromTablesThatContradictEachOther) {
    static constexpr Route same[] = {{"GET", "/a/{x:text}", open, run, "One", any},
                                     {"GET", "/a/{y:text}", open, run, "Two", any}};
    static constexpr Route kinds[] = {{"GET", "/a/{x:text}", open, run, "One", any},
                                      {"POST", "/a/{yId}", open, run, "Two", any}};
    static constexpr std::span<Route const> same_tables[] = {same};
    static constexpr std::span<Route const> kinds_tables[] = {kinds};
    EXPECT_THROW(Router{same_tables}, std::logic_error);
    EXPECT_THROW(Router{kinds_tables}, std::logic_error);
}

constexpr bool is_pattern(std::string_view text) {
    try {
        check_pattern(text);
        return true;
    } catch (char const*) {
        return false;
    }
}

TEST(Patterns, AreChecked) {
    for (auto const good : {"/", "/a", "/a/{bId}", "/a/{b:slug}/c-d_e.f~g", "/{a:rest}"})
        EXPECT_TRUE(is_pattern(good)) << good;
    for (auto const bad :
         {"", "a", "/a/", "//a", "/{a}", "/{a:}", "/{a:what}", "/x{aId}", "/{aId}x", "/{}", "/{a:rest}/b",
          "/{aId}/{aId}", "/a b", "/ä", "/{a_b:text}", "/{aId}/{bId}/{cId}/{dId}/{eId}/{fId}/{gId}"}) {
        EXPECT_FALSE(is_pattern(bad)) << bad;
    }
}

TEST(PercentCoding, GoesBothWays) {
    EXPECT_EQ(percent_encode("a/b ü~"), "a%2Fb%20%C3%BC~");
    EXPECT_EQ(percent_decode("a%2Fb%20%c3%BC~"), "a/b ü~");
    EXPECT_EQ(percent_decode("a+b"), "a+b");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
    for (auto const bad : {"%", "%2", "%zz", "a%2"}) EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace buildplan::api
