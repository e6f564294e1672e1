#include "features/identity/cookies.hpp"

#include <gtest/gtest.h>

#include "features/identity/sign_in/test_account.hpp"

namespace buildplan::identity {
namespace {

using features::testing::Account;
using features::testing::HttpAnswer;
using features::testing::Product;

constexpr std::string_view json_type = "Content-Type: application/json\r\n";

// What a browser does with Set-Cookie, as far as it matters here.
struct Browser {
    Product& server;
    std::map<std::string, std::string> jar = {};
    std::map<std::string, std::string> attributes = {};

    HttpAnswer ask(std::string_view method, std::string_view path, std::string_view body = {},
                   std::string_view headers = {}) {
        std::string all{headers};
        if (!body.empty()) all += json_type;
        if (!jar.empty()) {
            all += "Cookie: other=1";
            for (auto const& [name, value] : jar) all += "; " + name + "=" + value;
            all += "\r\n";
        }
        auto const answer = server.ask(method, path, all, body);
        for (auto const& [name, value] : answer.headers) {
            if (!ascii_iequals(name, "Set-Cookie")) continue;
            auto const equals = value.find('='), end = value.find(';');
            auto const cookie_name = value.substr(0, equals);
            attributes[cookie_name] = value.substr(end);
            if (value.find("Max-Age=0;") != std::string::npos) {
                jar.erase(cookie_name);
            } else {
                jar[cookie_name] = value.substr(equals + 1, end - equals - 1);
            }
        }
        return answer;
    }
    std::string proof() { return "X-CSRF-Token: " + jar["bp_csrf"] + "\r\nSec-Fetch-Site: same-origin\r\n"; }
};

class CookiesTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }
    CookiesTest() {
        signed_in =
            browser.ask("POST", "/auth/login",
                        fmt::format(R"({{"email":"{}","password":"{}","cookie":true}})", us.email, us.password));
    }
    static inline std::unique_ptr<Product> server;
    Account us{*server};
    Browser browser{*server};
    HttpAnswer signed_in;
};

TEST_F(CookiesTest, HoldTheTokensAndTheAnswerDoesNot) {
    ASSERT_EQ(signed_in.status, 200) << signed_in.body;
    EXPECT_FALSE(signed_in.json().as_object().contains("token"));
    EXPECT_FALSE(signed_in.json().as_object().contains("refreshToken"));
    EXPECT_EQ(browser.jar.size(), 3u);
    for (auto const* name : {"bp_access", "bp_refresh"}) {
        EXPECT_NE(browser.attributes[name].find("HttpOnly"), std::string::npos);
        EXPECT_NE(browser.attributes[name].find("SameSite=Lax"), std::string::npos);
        EXPECT_NE(browser.attributes[name].find("Path=/"), std::string::npos);
        EXPECT_EQ(browser.attributes[name].find("Domain"), std::string::npos);
    }
    EXPECT_EQ(browser.attributes["bp_csrf"].find("HttpOnly"), std::string::npos);
    EXPECT_EQ(browser.ask("GET", "/auth/me").status, 200);
}

TEST_F(CookiesTest, ChangeNothingWithoutTheProofThatWeAsk) {
    auto const body = R"({"name":"Ours"})";
    auto const bare = browser.ask("POST", "/v1/workspaces", body);
    EXPECT_EQ(bare.status, 403);
    EXPECT_EQ(bare.text("code"), "csrf");
    EXPECT_EQ(browser.ask("POST", "/v1/workspaces", body, "X-CSRF-Token: AAAA\r\n").status, 403);
    EXPECT_EQ(browser.ask("POST", "/v1/workspaces", body, "X-CSRF-Token: \r\n").status, 403);
    auto const cross = fmt::format("X-CSRF-Token: {}\r\nSec-Fetch-Site: cross-site\r\n", browser.jar["bp_csrf"]);
    EXPECT_EQ(browser.ask("POST", "/v1/workspaces", body, cross).status, 403);
    EXPECT_EQ(browser.ask("POST", "/v1/workspaces", body, browser.proof()).status, 201);
    EXPECT_EQ(browser.ask("POST", "/auth/logout", {}, "").status, 403);
    EXPECT_EQ(us.value("SELECT count(*) FROM workspaces w JOIN organization_members m USING (organization_id) "
                       "WHERE m.user_id = $1::uuid"),
              "1");
}

TEST_F(CookiesTest, AreNotNeededBesideAToken) {
    EXPECT_EQ(server->ask("POST", "/v1/workspaces", us.json(), R"({"name":"Ours"})").status, 201);
}

TEST_F(CookiesTest, AreRefreshed) {
    EXPECT_EQ(browser.ask("POST", "/auth/refresh", "{}").status, 403);
    auto const bare = server->ask("POST", "/auth/refresh", "Content-Type: application/json\r\n", "{}");
    EXPECT_EQ(bare.status, 422) << bare.body;
    auto const before = browser.jar;
    auto const answer = browser.ask("POST", "/auth/refresh", "{}", browser.proof());
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_FALSE(answer.json().as_object().contains("refreshToken"));
    EXPECT_NE(browser.jar["bp_refresh"], before.at("bp_refresh"));
    EXPECT_EQ(browser.jar["bp_csrf"], before.at("bp_csrf")) << "other tabs have it";
    EXPECT_EQ(browser.ask("GET", "/auth/me").status, 200);
}

TEST_F(CookiesTest, FollowTheOrganization) {
    auto const answer = browser.ask("POST", "/auth/switch-org",
                                    fmt::format(R"({{"organizationId":"{}"}})", us.organization_id), browser.proof());
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_FALSE(answer.json().as_object().contains("token"));
    EXPECT_EQ(browser.ask("GET", "/auth/me").text("organizationId"), us.organization_id);
}

TEST_F(CookiesTest, GoWithTheSession) {
    EXPECT_EQ(browser.ask("POST", "/auth/logout", {}, browser.proof()).status, 204);
    EXPECT_TRUE(browser.jar.empty());
    EXPECT_EQ(browser.ask("GET", "/auth/me").status, 401);
}

TEST_F(CookiesTest, GoWhenTheirSessionCannotBeRefreshed) {
    EXPECT_EQ(us.post("/auth/logout-everywhere").status, 204);
    EXPECT_EQ(browser.ask("POST", "/auth/refresh", "{}", browser.proof()).status, 401);
    EXPECT_TRUE(browser.jar.empty());
}

net::Request request_of(std::string_view scheme, std::vector<net::Header> headers) {
    net::Request request;
    request.method = "POST";
    request.scheme = scheme;
    request.headers = std::move(headers);
    return request;
}

TEST(CookieNames, BelongToTheHostOverHttps) {
    auto const request = request_of("https", {});
    EXPECT_EQ(access_cookie_name(request), "__Host-bp_access");
    api::Response response(204);
    set_access_cookie(response, request, "token", now() + std::chrono::minutes{15});
    auto const cookie = std::string(response.header("Set-Cookie").value_or(""));
    EXPECT_TRUE(cookie.starts_with("__Host-bp_access=token; Path=/; Max-Age=")) << cookie;
    EXPECT_NE(cookie.find("; Secure"), std::string::npos);
    EXPECT_EQ(cookie.find("Domain"), std::string::npos);
}

TEST(CookieNames, AreNotMixedUpOverHttps) {
    // Another host of the domain can set the bare names.
    auto const planted = request_of("https", {{"Cookie", "bp_csrf=AAAA"}, {"X-CSRF-Token", "AAAA"}});
    EXPECT_FALSE(has_csrf_proof(planted));
    auto const ours = request_of("https", {{"Cookie", "__Host-bp_csrf=AAAA"}, {"X-CSRF-Token", "AAAA"}});
    EXPECT_TRUE(has_csrf_proof(ours));
}

}  // namespace
}  // namespace buildplan::identity
