#include "core/json/format.hpp"

#include <gtest/gtest.h>

#include <string>

namespace buildplan::json {
namespace {

TEST(Email, TakesWhatPeopleHave) {
    for (auto const* text :
         {"ada@example.com", "a@b.co", "first.last@example.com", "a+tag@example.com", "o'brien@example.ie",
          "x_y-z@sub.domain.example", "1@2.museum", "user@xn--bcher-kva.example", "!#$%&'*+-/=?^_`{|}~@example.com",
          "UPPER@EXAMPLE.COM", "a@1and1.de"}) {
        EXPECT_TRUE(is_email(text)) << text;
    }
    EXPECT_TRUE(is_email(std::string(64, 'a') + "@example.com"));
    EXPECT_TRUE(is_email("a@" + std::string(63, 'b') + ".com"));
}

TEST(Email, RefusesTheRest) {
    for (auto const* text : {"",
                             "@",
                             "ada",
                             "ada@",
                             "@example.com",
                             "ada@example",
                             "ada@localhost",
                             "a..b@example.com",
                             ".a@example.com",
                             "a.@example.com",
                             "a@.example.com",
                             "a@example..com",
                             "a@example.com.",
                             "a@-example.com",
                             "a@example-.com",
                             "a b@example.com",
                             "a@exa mple.com",
                             "\"a b\"@example.com",
                             "a@[127.0.0.1]",
                             "a@127.0.0.1",
                             "a@b@example.com",
                             "a@ex_ample.com",
                             "j\xc3\xbcrgen@example.com",
                             "a@b\xc3\xbc"
                             "cher.example",
                             "a@example.com\n",
                             "a,b@example.com",
                             "<a@example.com>",
                             "mailto:a@example.com",
                             "a(c)@example.com"}) {
        EXPECT_FALSE(is_email(text)) << text;
    }
    EXPECT_FALSE(is_email(std::string(65, 'a') + "@example.com"));
    EXPECT_FALSE(is_email("a@" + std::string(64, 'b') + ".com"));
    std::string long_domain = "a@";
    for (int i = 0; i < 63; ++i) long_domain += "abc.";
    EXPECT_FALSE(is_email(long_domain + "com"));
}

TEST(Url, TakesAbsoluteWebAddresses) {
    for (auto const* text :
         {"http://example.com", "https://example.com/", "HTTPS://EXAMPLE.COM/A",
          "https://example.com:8443/a/b?c=d&e=%20#f", "https://sub_domain.example.com", "http://localhost:3000/x",
          "http://127.0.0.1/", "http://[::1]:80/", "https://example.com?x", "https://xn--bcher-kva.example/",
          "https://example.com./", "https://example.com/a(b)~c;d=1,2"}) {
        EXPECT_TRUE(is_url(text)) << text;
    }
}

TEST(Url, RefusesTheRest) {
    for (auto const* text : {"",
                             "example.com",
                             "//example.com",
                             "/path",
                             "ftp://example.com",
                             "javascript:alert(1)",
                             "mailto:a@example.com",
                             "http:",
                             "http://",
                             "http:///path",
                             "http:example.com",
                             "https://:443/",
                             "https://user@example.com/",
                             "https://user:pass@example.com/",
                             "https://exa mple.com/",
                             "https://example.com/a b",
                             "https://example.com/<x>",
                             "https://example.com:99999/",
                             "https://example.com:0/",
                             "https://example.com:8x/",
                             "https://ex%61mple.com/",
                             "https://[::1/",
                             "https://[v1.a]/",
                             "https://b\xc3\xbc"
                             "cher.example/",
                             " https://example.com",
                             "https://example.com\n",
                             "https://example.com/%zz",
                             "data:text/html,x",
                             "https://a!b/"}) {
        EXPECT_FALSE(is_url(text)) << text;
    }
    EXPECT_FALSE(is_url("https://example.com/" + std::string(2048, 'a')));
}

TEST(Slug, IsLowerCaseWithSingleHyphensInside) {
    for (auto const* text : {"a", "0", "acme", "acme-2", "a-b-c", "x1"}) EXPECT_TRUE(is_slug(text)) << text;
    EXPECT_TRUE(is_slug(std::string(63, 'a')));
    for (auto const* text : {"", "-", "-a", "a-", "a--b", "A", "a_b", "a.b", "a b", "\xc3\xa9", "a/b", "a\n"})
        EXPECT_FALSE(is_slug(text)) << text;
    EXPECT_FALSE(is_slug(std::string(64, 'a')));
}

TEST(Formats, KnowUuidsAndTimes) {
    EXPECT_TRUE(matches(Format::uuid, "0190A5B2-7c3d-7e4f-8a6b-1c2d3e4f5a6b"));
    EXPECT_FALSE(matches(Format::uuid, "0190a5b27c3d7e4f8a6b1c2d3e4f5a6b"));
    EXPECT_FALSE(matches(Format::uuid, "{0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b}"));
    EXPECT_TRUE(matches(Format::date_time, "2024-02-29T23:59:60.5+05:30"));
    for (auto const* text : {"2023-02-29T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z",
                             "2024-1-1T00:00:00Z", "1700000000"}) {
        EXPECT_FALSE(matches(Format::date_time, text)) << text;
    }
    EXPECT_TRUE(matches(Format::none, "anything"));
    for (auto const* name : {"Ada", "Straße 7", "日本語", "👩‍💻", "a b", " x "})
        EXPECT_TRUE(is_line(name)) << name;
    for (auto const* name : {"", "   ", "\u200b", "\u00a0\u3000", "a\nb", "a\tb", "a\ab", "\u202egnp.exe", "a\u2028b",
                             "\u0085x", "\x7f"}) {
        EXPECT_FALSE(is_line(name)) << name;
    }
}

}  // namespace
}  // namespace buildplan::json
