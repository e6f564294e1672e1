#include "net/client/http_url.hpp"

#include <gtest/gtest.h>

#include "net/client/http_message.hpp"

namespace buildplan::net {
namespace {

TEST(HttpUrl, IsTakenApartAndNormalised) {
    auto const url = HttpUrl::parse("https://Example.COM/a/../b?q=1#part");
    EXPECT_EQ(url.host, "example.com");
    EXPECT_EQ(url.origin, "https://example.com:443");
    EXPECT_EQ(url.text, "https://Example.COM/b?q=1");
    EXPECT_EQ(HttpUrl::parse("http://[::1]:8080/").host, "::1");
    EXPECT_EQ(HttpUrl::parse("http://[::1]:8080/").origin, "http://[::1]:8080");
    EXPECT_EQ(HttpUrl::parse("http://0x7f.1/").host, "127.0.0.1");
    EXPECT_EQ(HttpUrl::parse("http://2130706433/").host, "127.0.0.1");
}

TEST(HttpUrl, ResolvesAgainstWhereItStands) {
    auto const url = HttpUrl::parse("https://a.test:8443/x/y?z=1");
    EXPECT_EQ(url.resolve("/w").text, "https://a.test:8443/w");
    EXPECT_EQ(url.resolve("w?q").text, "https://a.test:8443/x/w?q");
    EXPECT_EQ(url.resolve("//b.test/").origin, "https://b.test:443");
    EXPECT_EQ(url.resolve("http://c.test").origin, "http://c.test:80");
    EXPECT_THROW(static_cast<void>(url.resolve("file:///etc/passwd")), HttpError);
    EXPECT_THROW(static_cast<void>(url.resolve("https://user@b.test/")), HttpError);
}

TEST(HttpUrl, AnythingElseIsInvalid) {
    for (std::string const bad : {"", "example.com", "/path", "ftp://a.test/", "file:///etc/passwd", "gopher://a.test/",
                                  "http://", "http://user@a.test/", "http://user:pw@a.test/", "http://a.test:0/",
                                  "http://a.test:99999/", "http://a b/", "http://a.test/\r\nX: y", "http://a.test/\n",
                                  "http://[fe80::1%25eth0]/", "http://[::1", "http://a.test/\x7f"}) {
        try {
            auto const url = HttpUrl::parse(bad);
            ADD_FAILURE() << bad << " became " << url.text;
        } catch (HttpError const& error) {
            EXPECT_EQ(error.kind, HttpError::Kind::invalid);
        }
    }
    EXPECT_THROW(HttpUrl::parse("http://a.test/" + std::string(9000, 'x')), HttpError);
}

}  // namespace
}  // namespace buildplan::net
