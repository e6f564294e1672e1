#include <fmt/core.h>

#include "net/client/client_test.hpp"

namespace buildplan::net {
namespace {

std::string redirect(int status, std::string_view to) {
    return answer(status, "gone there", fmt::format("Location: {}\r\n", to));
}

HttpRequest following(HttpRequest request) {
    request.options.max_redirects = 5;
    return request;
}

TEST(HttpClientRedirects, AreAnswersUnlessAskedFor) {
    ScriptedServer server([](SeenRequest const&) -> Steps { return {{redirect(302, "/b")}}; });
    auto const result = call(get(server.url()));
    EXPECT_EQ(result.status(), 302);
    EXPECT_EQ(result.body(), "gone there");
    EXPECT_EQ(server.seen().size(), 1u);
}

TEST(HttpClientRedirects, AreFollowedOnTheSameConnection) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/a/b") return {{redirect(301, "c?d=1")}};
        if (seen.target == "/a/c?d=1") return {{redirect(308, "/e")}};
        return {{answer(200, "here")}};
    });
    auto request = following(get(server.url("/a/b")));
    request.headers = {{"Authorization", "Bearer t"}};
    auto const result = call(request);
    EXPECT_EQ(result.body(), "here");
    EXPECT_EQ(result.response->url, server.url("/e"));
    EXPECT_EQ(server.seen().at(2).header("authorization"), "Bearer t");
    EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpClientRedirects, ALoopHasAnEnd) {
    ScriptedServer server([](SeenRequest const&) -> Steps { return {{redirect(302, "/again")}}; });
    EXPECT_EQ(call(following(get(server.url()))).kind(), Kind::redirect);
    EXPECT_EQ(server.seen().size(), 6u);
}

TEST(HttpClientRedirects, AnotherOriginGetsNoKeys) {
    ScriptedServer other([](SeenRequest const&) -> Steps { return {{answer(200, "other")}}; });
    ScriptedServer server([&](SeenRequest const&) -> Steps { return {{redirect(307, other.url("/x"))}}; });
    auto request = following(post(server.url(), "body"));
    request.headers = {{"Authorization", "Bearer t"},
                       {"Cookie", "c=1"},
                       {"X-Api-Key", "k"},
                       {"Accept", "text/plain"},
                       {"Content-Type", "a/b"}};
    request.options.aws = AwsSignature{"aws:amz:eu-central-1:s3", "AKIDEXAMPLE", "secret"};
    EXPECT_EQ(call(request).body(), "other");
    auto const seen = other.seen().at(0);
    EXPECT_EQ(seen.method + seen.body, "POSTbody");
    EXPECT_EQ(seen.header("accept"), "text/plain");
    EXPECT_EQ(seen.header("content-type"), "a/b");
    for (auto const* name : {"authorization", "cookie", "x-api-key"}) EXPECT_EQ(seen.header(name), "") << name;
}

TEST(HttpClientRedirects, SeeOtherIsAGet) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        return {{seen.target == "/" ? redirect(303, "/result") : answer(200, "result")}};
    });
    auto request = following(post(server.url(), "body"));
    request.headers = {{"Content-Type", "a/b"}};
    EXPECT_EQ(call(request).body(), "result");
    auto const seen = server.seen().at(1);
    EXPECT_EQ(seen.method, "GET");
    EXPECT_EQ(seen.body + seen.header("content-type") + seen.header("content-length"), "");
}

TEST(HttpClientRedirects, LeadOnlyToHttp) {
    for (auto const* to : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://user@127.0.0.1/", "http://"}) {
        ScriptedServer server([&](SeenRequest const&) -> Steps { return {{redirect(302, to)}}; });
        EXPECT_EQ(call(following(get(server.url()))).kind(), Kind::redirect) << to;
    }
}

TEST(HttpClientRedirects, AHugeBodyIsNotRead) {
    ScriptedServer server([](SeenRequest const& seen) -> Steps {
        if (seen.target == "/b") return {{answer(200, "here")}};
        return {{"HTTP/1.1 302 Found\r\nLocation: /b\r\nTransfer-Encoding: chunked\r\n\r\n"},
                {"5\r\nabcde\r\n", 0, Step::Then::forever}};
    });
    EXPECT_EQ(call(following(get(server.url("/a")))).body(), "here");
}

TEST(HttpClientRedirects, CannotLeadInside) {
    ScriptedServer inside([](SeenRequest const&) -> Steps { return {{answer(200, "secret")}}; }, "127.0.0.2");
    ScriptedServer server([&](SeenRequest const&) -> Steps {
        return {{redirect(302, fmt::format("http://127.0.0.2:{}/", inside.port()))}};
    });
    auto request = following(get(server.url()));
    request.options.reach = Reach::allow_listed;
    EXPECT_EQ(call(request, {.allow_listed = {"127.0.0.1"}}).kind(), Kind::refused_address);
    EXPECT_EQ(inside.connections(), 0u);
    EXPECT_EQ(call(request, {.allow_listed = {"127.0.0.1", "127.0.0.2"}}).body(), "secret");
}

}  // namespace
}  // namespace buildplan::net
