// The guard against being made to call inside, with a name server of the test's own: getaddrinfo, which libcurl calls
// on a thread of its own, is replaced in this test program for names under ".name.test".
#include <dlfcn.h>
#include <fmt/core.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>

#include "net/client/client_test.hpp"

namespace {

struct StuckLookups {
    std::mutex mutex;
    std::condition_variable changed;
    bool released = true;
    int waiting = 0;
};
StuckLookups stuck;

}  // namespace

extern "C" int getaddrinfo(char const* name, char const* service, addrinfo const* hints, addrinfo** results) {
    using Real = int (*)(char const*, char const*, addrinfo const*, addrinfo**);
    static auto const real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    std::string_view const wanted = name ? name : "";
    if (!wanted.ends_with(".name.test")) return real(name, service, hints, results);
    if (wanted.starts_with("stuck")) {
        std::unique_lock lock(stuck.mutex);
        ++stuck.waiting;
        stuck.changed.notify_all();
        stuck.changed.wait(lock, [] { return stuck.released; });
        --stuck.waiting;
        stuck.changed.notify_all();
        return EAI_AGAIN;
    }
    if (wanted.starts_with("unknown")) return EAI_NONAME;
    if (hints && hints->ai_family == AF_INET6) return EAI_NONAME;
    return real("127.0.0.1", service, hints, results);
}

namespace buildplan::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Steps secret(SeenRequest const&) { return {{answer(200, "secret")}}; }

HttpRequest from_outside(std::string url, Reach reach = Reach::public_only) {
    auto request = get(std::move(url));
    request.options.reach = reach;
    return request;
}

TEST(HttpClientReach, InsideIsRefusedHoweverItIsWritten) {
    ScriptedServer server(secret);
    for (auto const* host :
         {"127.0.0.1", "localhost", "LOCALHOST", "a.localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
          "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "inside.name.test", "[::1]", "[::]"}) {
        auto const result = call(from_outside(fmt::format("http://{}:{}/", host, server.port())));
        EXPECT_EQ(result.kind(), Kind::refused_address) << host << ": " << result.body();
    }
    EXPECT_EQ(server.connections(), 0u);
    EXPECT_EQ(call(get(fmt::format("http://inside.name.test:{}/", server.port()))).body(), "secret");
}

TEST(HttpClientReach, ARefusedAddressIsNotTriedAgain) {
    auto request = from_outside("http://127.0.0.1:9/");
    request.options.retry = {.base = seconds{30}, .cap = seconds{30}};
    request.options.timeouts.total = seconds{60};
    auto const result = call(request);
    EXPECT_EQ(result.kind(), Kind::refused_address);
    EXPECT_LT(result.took, seconds{2});
}

TEST(HttpClientReach, TheOperatorOpensHostsAndNetworks) {
    ScriptedServer server(secret);
    auto const request = from_outside(fmt::format("http://inside.name.test:{}/", server.port()), Reach::allow_listed);
    EXPECT_EQ(call(request).kind(), Kind::refused_address);
    EXPECT_EQ(call(request, {.allow_listed = {"inside.name.test"}}).body(), "secret");
    EXPECT_EQ(call(request, {.allow_listed = {"127.0.0.0/8"}}).body(), "secret");
    EXPECT_EQ(call(request, {.allow_listed = {"other.name.test", "10.0.0.0/8"}}).kind(), Kind::refused_address);
}

TEST(HttpClientReach, AConnectionKeptByAWiderReachIsNoWayIn) {
    ScriptedServer server(secret);
    auto const url = fmt::format("http://inside.name.test:{}/", server.port());
    auto const results = call_each({get(url), from_outside(url), from_outside(url, Reach::allow_listed), get(url)});
    EXPECT_EQ(results[0].body(), "secret");
    EXPECT_EQ(results[1].kind(), Kind::refused_address);
    EXPECT_EQ(results[2].kind(), Kind::refused_address);
    EXPECT_EQ(results[3].body(), "secret");
    EXPECT_EQ(server.seen().size(), 2u);
}

TEST(HttpClientReach, AnUnknownNameIsAnErrorOfItsOwn) {
    auto const result = call(get("http://unknown.name.test/"));
    EXPECT_EQ(result.kind(), Kind::resolve);
    EXPECT_TRUE(result.error->safe_to_retry);
}

TEST(HttpClientReach, ANameServerThatDoesNotAnswerHoldsUpNobody) {
    stuck.released = false;
    ScriptedServer server(secret);
    auto hopeless = get("http://stuck.name.test/");
    hopeless.options.timeouts.connect = milliseconds{200};
    auto const results = call_together({hopeless, get(server.url()), hopeless});
    EXPECT_EQ(results[0].kind(), Kind::timeout);
    EXPECT_EQ(results[2].kind(), Kind::timeout);
    EXPECT_LT(results[0].took, seconds{3});
    EXPECT_EQ(results[1].body(), "secret");
    EXPECT_LT(results[1].took, results[0].took);
    // The look-ups outlive requests, client and loop, and end by themselves.
    std::unique_lock lock(stuck.mutex);
    EXPECT_EQ(stuck.waiting, 2);
    stuck.released = true;
    stuck.changed.notify_all();
    EXPECT_TRUE(stuck.changed.wait_for(lock, seconds{5}, [] { return stuck.waiting == 0; }));
}

}  // namespace
}  // namespace buildplan::net
