// The parsers, without a socket.
#include <gtest/gtest.h>

#include "net/chunked.hpp"
#include "net/cors.hpp"
#include "net/encoding.hpp"
#include "net/head_parser.hpp"
#include "net/head_writer.hpp"
#include "net/proxies.hpp"
#include "net/target.hpp"
#include "net/trace_context.hpp"

namespace buildplan::net {
namespace {

// The status of the refusal, 0 where the head is fine.
int refusal(std::string_view head) {
    Request request;
    std::string decoded;
    HeadScan scan;
    HeadLimits const limits;
    auto const found = scan.find(head, limits);
    if (!found) return found.error().status;
    if (*found != head.size()) return -1;
    auto const framing = parse_head(head, limits, request, decoded);
    return framing ? 0 : framing.error().status;
}

std::string head(std::string_view lines) { return "POST /x HTTP/1.1\r\n" + std::string(lines) + "\r\n"; }

TEST(Head, SmugglingIsRefused) {
    struct Case {
        std::string_view why;
        std::string bytes;
        int status;
    };
    using namespace std::string_literals;
    Case const cases[] = {
        {"both lengths", head("Host: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"both lengths, the other way", head("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"), 400},
        {"two lengths", head("Host: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n"), 400},
        {"the same length twice", head("Host: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n"), 400},
        {"list of lengths", head("Host: a\r\nContent-Length: 4, 4\r\n"), 400},
        {"signed length", head("Host: a\r\nContent-Length: +4\r\n"), 400},
        {"negative length", head("Host: a\r\nContent-Length: -1\r\n"), 400},
        {"hexadecimal length", head("Host: a\r\nContent-Length: 0x4\r\n"), 400},
        {"length with a blank in it", head("Host: a\r\nContent-Length: 4 2\r\n"), 400},
        {"empty length", head("Host: a\r\nContent-Length: \r\n"), 400},
        {"length that overflows", head("Host: a\r\nContent-Length: 18446744073709551617\r\n"), 400},
        {"unknown coding", head("Host: a\r\nTransfer-Encoding: gzip\r\n"), 501},
        {"two codings", head("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"), 501},
        {"chunked twice", head("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n"), 501},
        {"two Transfer-Encoding", head("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
         400},
        {"identity", head("Host: a\r\nTransfer-Encoding: identity\r\n"), 501},
        {"vertical tab before the coding",
         head("Host: a\r\nTransfer-Encoding: \x0b"
              "chunked\r\n"),
         400},
        {"quoted coding", head("Host: a\r\nTransfer-Encoding: \"chunked\"\r\n"), 501},
        {"blank before the colon", head("Host: a\r\nTransfer-Encoding : chunked\r\n"), 400},
        {"tab before the colon", head("Host: a\r\nContent-Length\t: 4\r\n"), 400},
        {"folded line", head("Host: a\r\nX-A: b\r\n c\r\n"), 400},
        {"folded at once", head("Host: a\r\nX-A:\r\n b\r\n"), 400},
        {"folded with a tab", head("Host: a\r\nTransfer-Encoding:\r\n\tchunked\r\n"), 400},
        {"folded into nothing", head("Host: a\r\nX-A: b\r\n \r\n"), 400},
        {"bare LF", head("Host: a\r\nX-A: b\nContent-Length: 4\r\n"), 400},
        {"bare CR", head("Host: a\r\nX-A: b\rContent-Length: 4\r\n"), 400},
        {"NUL in a value", head("Host: a\r\nX-A: b\0c\r\n"s), 400},
        {"NUL in a name", head("Host: a\r\nX\0A: b\r\n"s), 400},
        {"no name", head("Host: a\r\n: b\r\n"), 400},
        {"no colon", head("Host: a\r\nContent-Length 4\r\n"), 400},
        {"line that begins with a blank", head(" Host: a\r\nHost: a\r\n"), 400},
        {"non-ASCII name", head("Host: a\r\nCont\xc3\xa9nt: 4\r\n"), 400},
        {"no Host", head("Content-Length: 4\r\n"), 400},
        {"two Hosts", head("Host: a\r\nHost: a\r\n"), 400},
        {"Host that is none", head("Host: a/b\r\n"), 400},
        {"Host with user", head("Host: me@a\r\n"), 400},
        {"two in one Host", head("Host: a, b\r\n"), 400},
        {"Host with a port that is none", head("Host: a:8x\r\n"), 400},
        {"two Authorizations", head("Host: a\r\nAuthorization: a\r\nAuthorization: b\r\n"), 400},
        {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"another expectation", head("Host: a\r\nExpect: 200-ok\r\n"), 417},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", 505},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"HTTP/0.9", "GET /\r\n\r\n", 400},
        {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"blank behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"tab for a blank", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"method that is none", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"TLS", "\x16\x03\x01\x02\r\n\r\n", 400},
        {"a proxy is wanted", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"authority for a target", "GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"no slash", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"star for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"non-ASCII target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"fine", head("Host: a\r\nContent-Length: 4\r\n"), 0},
        {"fine, chunked", head("Host: a.example:8080\r\ntransfer-ENCODING: Chunked\r\n"), 0},
        {"fine, IPv6", head("Host: [::1]:8080\r\n"), 0},
        {"fine, empty value", head("Host: a\r\nX-A:\r\nX-B: \t \r\n"), 0},
        {"fine, absolute", "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", 0},
        {"fine, HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0},
    };
    for (auto const& each : cases) EXPECT_EQ(refusal(each.bytes), each.status) << each.why;
}

TEST(Head, BoundsAreKept) {
    std::string const long_value(17'000, 'a');
    std::string const long_target = "GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(refusal(head("Host: a\r\nX-A: " + long_value + "\r\n")), 431);
    EXPECT_EQ(refusal(long_target), 414);
    EXPECT_EQ(refusal(long_target.substr(0, 8'600)), 414) << "while it is still coming";
    std::string many = "Host: a\r\n";
    for (int i = 0; i < 99; ++i) many += "A: b\r\n";
    EXPECT_EQ(refusal(head(many)), 0);
    EXPECT_EQ(refusal(head(many + "A: b\r\n")), 431);
    std::string query = "GET /?a";
    for (int i = 0; i < 63; ++i) query += "&a";
    EXPECT_EQ(refusal(query + " HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    EXPECT_EQ(refusal(query + "&a HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(Head, SaysWhatFollows) {
    auto const parse = [](std::string const& bytes) {
        Request request;
        std::string decoded;
        return parse_head(bytes, {}, request, decoded).value();
    };
    EXPECT_EQ(parse(head("Host: a\r\nContent-Length: 42\r\n")).content_length, 42u);
    EXPECT_TRUE(parse(head("Host: a\r\nTransfer-Encoding: chunked\r\n")).chunked);
    EXPECT_TRUE(parse(head("Host: a\r\n")).keep_alive);
    EXPECT_FALSE(parse(head("Host: a\r\nConnection: foo, Close\r\n")).keep_alive);
    EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
    EXPECT_TRUE(parse(head("Host: a\r\nExpect: 100-Continue\r\n")).expects_continue);
    EXPECT_FALSE(parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").expects_continue);
}

struct Parsed {
    Request request;
    std::string decoded;
    int status = 0;
};

std::unique_ptr<Parsed> target(std::string_view text) {
    auto parsed = std::make_unique<Parsed>();
    parsed->request.method = "GET";
    auto const result = parse_target(text, parsed->request, parsed->decoded, 64);
    if (!result) parsed->status = result.error().status;
    return parsed;
}

TEST(Target, PathIsDecodedOnce) {
    EXPECT_EQ(target("/a%20b/%C3%A9")->request.path, "/a b/\xc3\xa9");
    EXPECT_EQ(target("/a%252Fb")->request.path, "/a%2Fb");
    EXPECT_EQ(target("/a%2fb%5cc")->request.path, "/a%2Fb%5Cc");
    EXPECT_EQ(target("/a%20b?c")->request.raw_path, "/a%20b");
    EXPECT_EQ(target("http://b.example:80/x?y")->request.path, "/x");
    EXPECT_EQ(target("http://b.example:80/x?y")->request.host, "b.example:80");
    EXPECT_EQ(target("http://b.example")->request.path, "/");
    EXPECT_EQ(target("http://b.example?q=1")->request.path, "/");
    EXPECT_EQ(target("/.well-known/..a/...")->request.path, "/.well-known/..a/...");
}

TEST(Target, BadOnesAreRefused) {
    for (auto const* const text :
         {"/%",      "/%4",     "/%zz",    "/%00",    "/%0a",        "/%7f",       "/%ff",  "/%c3",
          "/%c0%af", "/a/../b", "/a/./b",  "/..",     "/a/%2e%2e/b", "/.%2E",      "/a\\b", "/?a=%",
          "/?%zz",   "/?a=%00", "/?a=%ff", "http://", "http:///x",   "http://a@b/"}) {
        EXPECT_EQ(target(text)->status, 400) << text;
    }
}

TEST(Target, QueryIsDecoded) {
    auto const parsed = target("/?a=1&b=x+y%2Bz&&c&d=&a=2&e=%0A");
    auto const& request = parsed->request;
    ASSERT_EQ(request.query.size(), 6u);
    EXPECT_EQ(request.parameter("a"), "1");
    EXPECT_EQ(request.parameter("b"), "x y+z");
    EXPECT_EQ(request.parameter("c"), "");
    EXPECT_EQ(request.parameter("d"), "");
    EXPECT_EQ(request.parameter("e"), "\n");
    EXPECT_EQ(request.query[4].value, "2");
    EXPECT_EQ(request.parameter("f"), std::nullopt);
    EXPECT_TRUE(target("/x?")->request.query.empty());
}

TEST(TraceContext, FollowsTheRecommendation) {
    struct Case {
        std::string_view value;
        bool valid;
    };
    constexpr std::string_view good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Case const cases[] = {
        {good, true},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", true},
        {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
        {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like", true},
        {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what", false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false},
        {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
        {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
        {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
        {"00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01", false},
        {"0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        {"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1x", false},
        {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        {" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        {"00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033310-01", false},
        {"", false},
        {"00", false},
    };
    for (auto const& each : cases) EXPECT_EQ(TraceContext::resume(each.value).has_value(), each.valid) << each.value;

    auto const resumed = TraceContext::resume(good).value();
    EXPECT_EQ(resumed.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(resumed.parent_id(), "b7ad6b7169203331");
    EXPECT_NE(resumed.span_id(), resumed.parent_id());
    EXPECT_TRUE(resumed.sampled());
    auto const next = TraceContext::resume(resumed.traceparent());
    ASSERT_TRUE(next);
    EXPECT_EQ(next->parent_id(), resumed.span_id());
    auto const begun = TraceContext::begin();
    EXPECT_TRUE(TraceContext::resume(begun.traceparent()));
    EXPECT_NE(begun.trace_id(), TraceContext::begin().trace_id());
    EXPECT_EQ(begun.parent_id(), "0000000000000000");
}

TEST(AcceptEncoding, WeightsAreHonoured) {
    for (auto const* const yes : {"gzip", "gzip, br", "br;q=1.0, gzip;q=0.8", "GZIP", "x-gzip", "*", "gzip;q=0.001",
                                  "gzip ; q=1", "deflate, *;q=0.5", "identity;q=0.5, gzip"}) {
        EXPECT_TRUE(accepts_gzip(yes)) << yes;
    }
    for (auto const* const no :
         {"", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "gzip;q=2", "gzip;q=abc",
          "gzip;level=9", "identity, gzip;q=0.5", "gzipped", ",,,", "gzip;q=", "gzip;q=1.001"}) {
        EXPECT_FALSE(accepts_gzip(no)) << no;
    }
}

std::string origin(std::string_view peer, ForwardedValues const& values,
                   TrustedProxies::Header header = TrustedProxies::Header::either) {
    TrustedProxies proxies;
    for (auto const* const network : {"10.0.0.0/8", "fd00::/8", "192.0.2.7"})
        proxies.networks.push_back(Network::parse(network).value());
    proxies.header = header;
    auto const found = find_origin(proxies, Address::parse(peer).value(), values);
    return found.client.to_string() + " " + std::string(found.scheme) + " " + std::string(found.host);
}

using Lines = std::vector<std::string_view>;

TEST(Proxies, ForwardedIsBelievedBackToTheFirstStranger) {
    struct Case {
        std::string_view peer;
        Lines lines;
        std::string_view expected;
    };
    Case const cases[] = {
        {"203.0.113.9", {"for=198.51.100.1;proto=https;host=a"}, "203.0.113.9  "},
        {"10.1.2.3", {"for=198.51.100.1;proto=https;host=a"}, "198.51.100.1 https a"},
        {"10.1.2.3", {"FOR=198.51.100.1 ; Proto=HTTPS"}, "198.51.100.1 https "},
        {"10.1.2.3", {"for=6.6.6.6, for=198.51.100.1;proto=https"}, "198.51.100.1 https "},
        {"10.1.2.3", {"for=6.6.6.6, for=198.51.100.1;proto=https, for=10.0.0.9;proto=http"}, "198.51.100.1 https "},
        {"10.1.2.3", {"for=6.6.6.6", "for=198.51.100.1"}, "198.51.100.1  "},
        {"10.1.2.3", {"for=\"[2001:db8::1]:4711\""}, "2001:db8::1  "},
        {"10.1.2.3", {"for=\"198.51.100.1:80\""}, "198.51.100.1  "},
        {"10.1.2.3", {"for=198.51.100.1, for=unknown"}, "10.1.2.3  "},
        {"10.1.2.3", {"for=198.51.100.1, for=_hidden;proto=https"}, "10.1.2.3 https "},
        {"10.1.2.3", {"for=10.0.0.5"}, "10.0.0.5  "},
        {"10.1.2.3", {"for=\"6.6.6.6, for=198.51.100.1"}, "10.1.2.3  "},
        {"10.1.2.3", {"for=\"6.6.6.6\\\"\""}, "10.1.2.3  "},
        {"10.1.2.3", {"for"}, "10.1.2.3  "},
        {"10.1.2.3", {"for=a b"}, "10.1.2.3  "},
        {"10.1.2.3", {""}, "10.1.2.3  "},
        {"10.1.2.3", {"for=198.51.100.1;proto=gopher;host=\"a/b\""}, "198.51.100.1  "},
        {"fd00::1", {"for=198.51.100.1"}, "198.51.100.1  "},
        {"::ffff:10.1.2.3", {"for=198.51.100.1"}, "198.51.100.1  "},
        {"192.0.2.7", {"for=198.51.100.1"}, "198.51.100.1  "},
        {"192.0.2.8", {"for=198.51.100.1"}, "192.0.2.8  "},
    };
    for (auto const& each : cases)
        EXPECT_EQ(origin(each.peer, {.forwarded = each.lines, .x_for = {}, .x_proto = {}, .x_host = {}}), each.expected)
            << each.lines.front();
}

TEST(Proxies, XForwardedIsBelievedBackToTheFirstStranger) {
    struct Case {
        std::string_view peer;
        Lines x_for, x_proto, x_host;
        std::string_view expected;
    };
    Case const cases[] = {
        {"203.0.113.9", {"198.51.100.1"}, {"https"}, {"a"}, "203.0.113.9  "},
        {"10.1.2.3", {"198.51.100.1"}, {"https"}, {"a:8443"}, "198.51.100.1 https a:8443"},
        {"10.1.2.3", {"6.6.6.6, 198.51.100.1"}, {"https"}, {}, "198.51.100.1 https "},
        {"10.1.2.3", {"6.6.6.6,198.51.100.1 , 10.0.0.9"}, {"http,https,http"}, {}, "198.51.100.1 https "},
        {"10.1.2.3", {"6.6.6.6", "198.51.100.1"}, {}, {}, "198.51.100.1  "},
        {"10.1.2.3", {"2001:db8::1"}, {}, {}, "2001:db8::1  "},
        {"10.1.2.3", {"[2001:db8::1]:99"}, {}, {}, "2001:db8::1  "},
        {"10.1.2.3", {"198.51.100.1:99"}, {}, {}, "198.51.100.1  "},
        {"10.1.2.3", {"198.51.100.1:x"}, {}, {}, "10.1.2.3  "},
        {"10.1.2.3", {"nonsense"}, {}, {}, "10.1.2.3  "},
        {"10.1.2.3", {"198.51.100.1, nonsense"}, {}, {}, "10.1.2.3  "},
        {"10.1.2.3", {""}, {}, {}, "10.1.2.3  "},
        {"10.1.2.3", {}, {"https"}, {}, "10.1.2.3 https "},
    };
    for (auto const& each : cases)
        EXPECT_EQ(
            origin(each.peer, {.forwarded = {}, .x_for = each.x_for, .x_proto = each.x_proto, .x_host = each.x_host}),
            each.expected);
}

TEST(Proxies, WhereTheTwoHeadersDisagreeNeitherIsBelieved) {
    Lines const standard{"for=6.6.6.6;host=evil"}, agreeing{"for=198.51.100.1;proto=https;host=evil"},
        custom{"198.51.100.1"}, proto{"https"};
    EXPECT_EQ(origin("10.1.2.3", {.forwarded = standard, .x_for = custom, .x_proto = {}, .x_host = {}}), "10.1.2.3  ");
    EXPECT_EQ(origin("10.1.2.3", {.forwarded = agreeing, .x_for = custom, .x_proto = proto, .x_host = {}}),
              "198.51.100.1 https ");
    using enum TrustedProxies::Header;
    EXPECT_EQ(origin("10.1.2.3", {.forwarded = standard, .x_for = custom, .x_proto = {}, .x_host = {}}, x_forwarded),
              "198.51.100.1  ");
    EXPECT_EQ(origin("10.1.2.3", {.forwarded = agreeing, .x_for = standard, .x_proto = {}, .x_host = {}}, forwarded),
              "198.51.100.1 https evil");
}

TEST(Network, HoldsItsAddresses) {
    auto const within = [](std::string_view network, std::string_view address) {
        return Network::parse(network).value().contains(Address::parse(address).value());
    };
    EXPECT_TRUE(within("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(within("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(within("192.168.128.0/17", "192.168.200.1"));
    EXPECT_FALSE(within("192.168.128.0/17", "192.168.100.1"));
    EXPECT_TRUE(within("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(within("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(within("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(within("0.0.0.0/0", "2001:db8::1"));
    for (auto const* const bad :
         {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10.0.0/8", "fd00::/129", "a/8", "/8", "10.0.0.0/-1"})
        EXPECT_FALSE(Network::parse(bad)) << bad;
}

TEST(Chunked, SplitsMakeNoDifference) {
    std::string const bytes = "5\r\nhello\r\n6;name=\"v\"\r\n world\r\n0\r\nX-Trailer: a\r\n\r\n";
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        ChunkedDecoder decoder;
        std::string body;
        std::size_t used = 0;
        auto state = ChunkedDecoder::State::more;
        for (auto part : {std::string_view(bytes).substr(0, split), std::string_view(bytes).substr(split)}) {
            while (!part.empty() && state != ChunkedDecoder::State::end) {
                auto const step = decoder.step(part);
                body += step.piece;
                part.remove_prefix(step.consumed);
                used += step.consumed;
                state = step.state;
                ASSERT_NE(state, ChunkedDecoder::State::bad) << split;
            }
        }
        EXPECT_EQ(state, ChunkedDecoder::State::end) << split;
        EXPECT_EQ(body, "hello world");
        EXPECT_EQ(used, bytes.size());
    }
}

TEST(Chunked, BadOnesAreRefused) {
    for (auto const* const bad :
         {"x\r\n", "-5\r\nhello\r\n", "0x5\r\nhello\r\n", "5 5\r\nhello\r\n", "5\r\nhelloX\r\n0\r\n\r\n",
          "5\rhello\r\n", "5;a\nb\r\nhello\r\n", "5 \r\nhello\r\n", "5 x\r\nhello\r\n", "0\r\n a: b\r\n\r\n",
          "0\r\na: b\nc: d\r\n\r\n", "0\r\n\n", "11111111111111111\r\n", "\r\n", "5\r\nhello\n\n0\r\n\r\n",
          "0\r\nX Y: 5\r\n\r\n", "5\r\nhello0\r\n\r\n"}) {
        ChunkedDecoder decoder;
        std::string pending = bad;
        ChunkedDecoder::Step step{};
        do {
            step = decoder.step(pending);
            pending.erase(0, step.consumed);
        } while (step.state == ChunkedDecoder::State::piece);
        EXPECT_EQ(step.state, ChunkedDecoder::State::bad) << bad;
    }
}

TEST(HttpDate, IsTheFixedForm) {
    EXPECT_EQ(http_date(std::chrono::sys_seconds{std::chrono::seconds{784111777}}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Response, HeadersCannotBeInjected) {
    Response response(200);
    EXPECT_THROW(response.header("X-A", "b\r\nSet-Cookie: c"), std::invalid_argument);
    EXPECT_THROW(response.header("X-A", "b\nc"), std::invalid_argument);
    EXPECT_THROW(response.header("X-A", std::string_view("b\0c", 3)), std::invalid_argument);
    EXPECT_THROW(response.header("X-A\r\nB", "c"), std::invalid_argument);
    EXPECT_THROW(response.header("", "c"), std::invalid_argument);
    EXPECT_THROW(response.header("content-length", "1"), std::invalid_argument);
    EXPECT_THROW(response.header("Transfer-Encoding", "chunked"), std::invalid_argument);
    response.header("X-A", " 1 ").header("x-b", "\xc3\xa9");
    EXPECT_EQ(response.header_lines(), "X-A: 1\r\nx-b: \xc3\xa9\r\n");
    EXPECT_EQ(response.header("X-B"), "\xc3\xa9");
    EXPECT_FALSE(response.has("X-C"));
}

TEST(Cors, AnyOriginWithCredentialsIsRefused) {
    EXPECT_THROW(CorsPolicy(Cors{.origins = {"*"}, .credentials = true, .request_headers = {}, .exposed_headers = {}}),
                 std::invalid_argument);
}

}  // namespace
}  // namespace buildplan::net
