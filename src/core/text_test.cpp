#include "core/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/crypto.hpp"
#include "core/principal.hpp"

namespace buildplan {
namespace {

std::string json_text(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(Utf8, TellsWellFormedFromNot) {
    for (auto const text : {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                            "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(text)) << text;
    }
    for (auto const text : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                            "\xf4\x90\x80\x80", "\xff", "\xe2\x82"}) {
        EXPECT_FALSE(is_utf8(text));
    }
}

TEST(JsonString, EscapesAndReplaces) {
    EXPECT_EQ(json_text("a\"b\\c\n\r\t\x01"), R"("a\"b\\c\n\r\t\u0001")");
    EXPECT_EQ(json_text("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
    EXPECT_EQ(json_text("x\xff y"), "\"x\xef\xbf\xbd y\"");
    EXPECT_EQ(json_text(std::string_view("\0", 1)), R"("\u0000")");
}

RC_GTEST_PROP(JsonString, IsAlwaysUtf8, (std::string const& bytes)) { RC_ASSERT(is_utf8(json_text(bytes))); }

RC_GTEST_PROP(Base64Url, ReadsWhatItWrites, (std::string const& bytes)) {
    RC_ASSERT(from_base64url(base64url(bytes)) == bytes);
}

TEST(Base64Url, KnownValuesAndOneTextForAValue) {
    EXPECT_EQ(base64url("\xfb\xff"), "-_8");  // RFC 4648: the alphabet of section 5, no padding
    EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
    EXPECT_FALSE(from_base64url("Zg=="));
    EXPECT_FALSE(from_base64url("Zh"));  // left-over bits
    EXPECT_FALSE(from_base64url("a"));
    EXPECT_FALSE(from_base64url("a+/b"));
}

TEST(Crypto, MatchesPublishedVectors) {
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
    EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");  // RFC 4231, case 2
    EXPECT_TRUE(equal_in_constant_time("same", "same"));
    EXPECT_FALSE(equal_in_constant_time("same", "sama"));
    EXPECT_FALSE(equal_in_constant_time("same", "sam"));
}

TEST(Permission, WildcardsCoverWhatIsBelowThem) {
    EXPECT_TRUE(permission_covers("*", "anything.at.all"));
    EXPECT_TRUE(permission_covers("org.members.*", "org.members.invite"));
    EXPECT_TRUE(permission_covers("requests.*", "requests.read"));
    EXPECT_TRUE(permission_covers("plans.read", "plans.read"));
    EXPECT_FALSE(permission_covers("plans.read", "plans.update"));
    EXPECT_FALSE(permission_covers("requests.*", "requests"));
    EXPECT_FALSE(permission_covers("requests.*", "requestsx.read"));
    EXPECT_FALSE(permission_covers("org.members.*", "org.settings.update"));
}

}  // namespace
}  // namespace buildplan
