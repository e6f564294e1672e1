#include "core/json/encode.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "core/json/utf8.hpp"
#include "core/json/writer.hpp"
#include "core/problem.hpp"
#include "tests/support/json_example.hpp"

namespace buildplan::json {
namespace {

using example::Everything;

TEST(JsonEncode, WritesMembersInTheirOrder) {
    auto text = example::minimal();
    auto const tier = text.find(R"("state")");
    text.insert(tier, R"("room":null,"tier":"PRO",)");  // an optional with write_null(), and a default
    text.replace(text.find(R"({"name":"root"})"), 15, R"({"name":"root","children":[]})");
    EXPECT_EQ(encode(decode<Everything>(example::minimal())), text);
}

TEST(JsonEncode, AppendsToWhatIsThere) {
    std::string out = "data: ";
    append(out, std::vector<int>{1, -2, 3});
    append(out, true);
    EXPECT_EQ(out, "data: [1,-2,3]true");
}

TEST(JsonEncode, EscapesWhatRfc8259Asks) {
    EXPECT_EQ(encode(std::string{"\"\\/\b\f\n\r\t"}), R"("\"\\/\b\f\n\r\t")");
    EXPECT_EQ(encode(std::string("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
    EXPECT_EQ(encode(std::string{"caf\xc3\xa9 \xf0\x9f\x98\x80"}), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
    EXPECT_EQ(encode(std::string{}), "\"\"");
    EXPECT_EQ((encode(std::map<std::string, int>{{"a\"b", 1}, {"", 2}})), R"({"":2,"a\"b":1})");
}

TEST(JsonEncode, FindsSpecialBytesAtEveryPlace) {
    for (char const special : {'"', '\\', '\n', '\x01'}) {
        for (std::size_t at = 0; at < 20; ++at) {
            std::string text(20, 'x');
            text[at] = special;
            EXPECT_EQ(decode<std::string>(encode(text)), text);
            EXPECT_GT(encode(text).size(), text.size() + 2);
        }
    }
}

TEST(JsonEncode, ReplacesWhatIsNotUtf8) {
    EXPECT_EQ(encode(std::string{"x\xffy"}), "\"x\xef\xbf\xbdy\"");
    EXPECT_EQ(encode(std::string{"\xf0\x9f\x98"}), "\"\xef\xbf\xbd\"");
    EXPECT_EQ(encode(std::string{"\xed\xa0\x80"}), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonEncode, WritesNumbersShortAndExact) {
    EXPECT_EQ(encode(INT64_MIN), "-9223372036854775808");
    EXPECT_EQ(encode(UINT64_MAX), "18446744073709551615");
    EXPECT_EQ(encode(std::int8_t{-128}), "-128");
    EXPECT_EQ(encode(std::uint16_t{65535}), "65535");
    EXPECT_EQ(encode(0.1), "0.1");
    EXPECT_EQ(encode(1e22), "1e+22");
    EXPECT_EQ(encode(-0.0), "-0");
    EXPECT_EQ(encode(5e-324), "5e-324");
    EXPECT_EQ(encode(std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(encode(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonEncode, WritesTimesToTheMillisecond) {
    EXPECT_EQ(encode(*parse_rfc3339("2026-11-23T17:20:46.123999+01:00")), R"("2026-11-23T16:20:46.123Z")");
}

TEST(JsonEncode, RefusesAnEnumThatIsNone) {
    EXPECT_EQ(encode(example::State::in_review), R"("in_review")");
    EXPECT_THROW((void)encode(static_cast<example::State>(77)), std::logic_error);
}

TEST(JsonEncode, WritesFreeJson) {
    for (auto const* text :
         {"null", "[]", "{}", R"({"a":[1,-2,1.5,true,false,null,"x\n",{"b":{}}]})", "18446744073709551615"}) {
        EXPECT_EQ(encode(boost::json::parse(text)), text);
    }
}

TEST(JsonEncode, GrowsThroughLongTexts) {
    std::vector<std::string> const list(100, std::string(1000, 'x') + "\"");
    auto const text = encode(list);
    EXPECT_EQ(text.size(), 100 * 1005 + 1u);
    EXPECT_EQ(decode<std::vector<std::string>>(text), list);
}

// Text as it may be in a database: whole code points, no NUL.
rc::Gen<std::string> text(std::size_t least, std::size_t most) {
    auto const piece = rc::gen::oneOf(
        rc::gen::map(rc::gen::inRange(1, 128), [](int c) { return std::string(1, static_cast<char>(c)); }),
        rc::gen::element<std::string>("\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x98\x80", "\"", "\\", "~",
                                      "/"));
    auto const count = rc::gen::inRange(least, most + 1);
    return rc::gen::mapcat(count, [piece](std::size_t n) {
        return rc::gen::map(rc::gen::container<std::vector<std::string>>(n, piece),
                            [](std::vector<std::string> const& pieces) {
                                std::string all;
                                for (auto const& one : pieces) all += one;
                                return all;
                            });
    });
}

template <class T>
std::vector<T> some(std::size_t most, rc::Gen<T> const& gen) {
    return *rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, most + 1),
                            [gen](std::size_t n) { return rc::gen::container<std::vector<T>>(n, gen); });
}

Everything anything() {
    Everything all;
    all.is_active = *rc::gen::arbitrary<bool>();
    all.small = *rc::gen::inRange(-1000, 1001);
    all.wide = *rc::gen::arbitrary<std::int64_t>();
    all.huge = *rc::gen::arbitrary<std::uint64_t>();
    all.ratio = *rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double d) { return d >= -0.5 && d <= 1e300; });
    all.name = *text(1, 100);
    if (*rc::gen::arbitrary<bool>()) all.nick_name = *text(0, 20);
    if (*rc::gen::arbitrary<bool>()) all.room = *rc::gen::inRange(1, INT32_MAX);
    all.tier = *rc::gen::element(example::Tier::free, example::Tier::pro, example::Tier::enterprise);
    all.state = *rc::gen::element(example::State::draft, example::State::in_review, example::State::delete_);
    for (auto& byte : all.id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
    all.organization_id = OrganizationId::make();
    all.created_at =
        Timestamp{std::chrono::milliseconds{*rc::gen::inRange<std::int64_t>(-62'135'596'800'000, 253'402'300'800'000)}};
    all.address = {*text(0, 30), std::nullopt};
    for (auto const& street : some(3, text(0, 30))) all.other_addresses.push_back({street, *text(4, 8)});
    all.tags = some(5, text(1, 10));
    for (auto const& key : some(4, text(0, 30))) all.counts[key] = *rc::gen::arbitrary<std::int32_t>();
    all.tree = {*text(0, 10), {{*text(0, 10), {}}, {*text(0, 10), {{*text(0, 10), {}}}}}};
    all.extra = boost::json::array{*text(0, 10), all.wide, nullptr};
    for (auto const& key : some(3, text(0, 10))) all.settings[key] = *text(0, 20);
    switch (*rc::gen::inRange(0, 3)) {
        case 0:
            break;
        case 1:
            all.title = Patch<std::string>::null();
            break;
        default:
            all.title = *text(1, 50);
    }
    return all;
}

RC_GTEST_PROP(JsonRoundTrip, ReadsWhatItWrote, ()) {
    auto const value = anything();
    auto const text = encode(value);
    RC_ASSERT(decode<Everything>(text) == value);
    RC_ASSERT(decode<Everything>(boost::json::parse(text)).name == value.name);  // another reader takes it too
}

RC_GTEST_PROP(JsonRoundTrip, DoublesComeBackToTheBit, (std::uint64_t bits)) {
    auto const value = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(value));
    RC_ASSERT(std::bit_cast<std::uint64_t>(decode<double>(encode(value))) == bits);
}

RC_GTEST_PROP(JsonRoundTrip, AnyBytesBecomeUtf8, (std::string const& bytes)) {
    auto const text = encode(bytes);
    RC_ASSERT(utf8::code_points(text).has_value());
    RC_ASSERT(boost::json::parse(text).is_string());
}

}  // namespace
}  // namespace buildplan::json
