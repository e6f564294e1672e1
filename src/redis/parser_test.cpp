#include "redis/parser.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "redis/errors.hpp"

namespace buildplan::redis {
namespace {

using Kind = Value::Kind;

// Every reply in `bytes`, fed in pieces of `piece` bytes.
std::vector<Value> parse(std::string_view bytes, std::size_t piece = std::string_view::npos,
                         Parser::Limits limits = {}) {
    Parser parser(limits);
    std::vector<Value> replies;
    while (!bytes.empty()) {
        auto part = bytes.substr(0, piece);
        bytes.remove_prefix(part.size());
        while (auto value = parser.next(part)) replies.push_back(std::move(*value));
    }
    EXPECT_FALSE(parser.in_the_middle());
    return replies;
}

constexpr std::string_view all_types =
    "+OK\r\n-ERR "
    "no\r\n:-42\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n+a\r\n$1\r\nb\r\n$-1\r\n"
    "_\r\n#t\r\n#f\r\n,1.5\r\n,-inf\r\n(12345678901234567890\r\n!5\r\nERR x\r\n=7\r\ntxt:abc\r\n"
    "%1\r\n+k\r\n:1\r\n~2\r\n:1\r\n:2\r\n>2\r\n+message\r\n+x\r\n|1\r\n+ttl\r\n:9\r\n*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:"
    "2\r\n";

TEST(Parser, ReadsEveryType) {
    auto const replies = parse(all_types);
    ASSERT_EQ(replies.size(), 21u);
    EXPECT_EQ(replies[0], Value::text(Kind::simple, "OK"));
    EXPECT_EQ(replies[1].error_code(), "ERR");
    EXPECT_EQ(replies[2].as_integer(), -42);
    EXPECT_EQ(replies[3].as_text(), "a\r\nbc");
    EXPECT_EQ(replies[4].as_text(), "");
    EXPECT_TRUE(replies[5].is_nil());
    EXPECT_TRUE(replies[6].is_nil());
    EXPECT_EQ(replies[7].size(), 0u);
    EXPECT_EQ(replies[8][1][1].as_text(), "b");
    EXPECT_TRUE(replies[8][2].is_nil());
    EXPECT_TRUE(replies[9].is_nil());
    EXPECT_EQ(replies[10].as_integer(), 1);
    EXPECT_EQ(replies[11], Value::boolean(false));
    EXPECT_EQ(replies[12].as_real(), 1.5);
    EXPECT_TRUE(std::isinf(replies[13].as_real()));
    EXPECT_EQ(replies[14].as_text(), "12345678901234567890");
    EXPECT_EQ(replies[15].error_code(), "ERR");
    EXPECT_EQ(replies[16].as_text(), "abc");
    EXPECT_EQ(replies[17].kind(), Kind::map);
    EXPECT_EQ(replies[18].kind(), Kind::set);
    EXPECT_EQ(replies[19].kind(), Kind::push);
}

TEST(Parser, AttributesAreSkippedAtTheTopAndWithin) {
    auto const replies = parse(all_types.substr(all_types.find('|')));
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0], Value::aggregate(Kind::array, {Value::integer(1), Value::integer(2)}));
}

TEST(Parser, PiecesOfAnySizeMakeTheSame) {
    auto const whole = parse(all_types);
    for (std::size_t piece = 1; piece < all_types.size(); ++piece) EXPECT_EQ(parse(all_types, piece), whole) << piece;
}

class Refused : public testing::TestWithParam<char const*> {};

TEST_P(Refused, AtOnceAndInPieces) {
    EXPECT_THROW(parse(GetParam()), ProtocolError);
    EXPECT_THROW(parse(GetParam(), 1), ProtocolError);
}

INSTANTIATE_TEST_SUITE_P(Bytes, Refused,
                         testing::Values("\r\n", "+OK\n", "x\r\n", ":\r\n", ":1x\r\n", ":+-1\r\n",
                                         ":99999999999999999999\r\n", "$-2\r\n", "$x\r\n", "$1\r\nabc", "*-2\r\n",
                                         "%-1\r\n", "_x\r\n", "#x\r\n", ",x\r\n", "(1a\r\n", "(\r\n", "=3\r\nabc\r\n",
                                         "$?\r\n", "*?\r\n", "$67108865\r\n", "*4194305\r\n", "%4194304\r\n",
                                         "*18446744073709551615\r\n"));

TEST(Parser, BoundsDepthElementsAndBytesOfAReply) {
    std::string deep;
    for (int i = 0; i < 32; ++i) deep += "*1\r\n";
    EXPECT_EQ(parse(deep + ":1\r\n").size(), 1u);
    EXPECT_THROW(parse(deep + "*1\r\n:1\r\n"), ProtocolError);
    EXPECT_THROW(parse("*2\r\n*6\r\n", 1, {.elements = 7}), ProtocolError);
    EXPECT_THROW(parse("*2\r\n$3\r\nabc\r\n$3\r\nabc\r\n", 1, {.bytes = 5}), ProtocolError);
    EXPECT_THROW(parse(std::string(70'000, 'a'), 1'000), ProtocolError);
    // Of one reply: the next begins anew.
    EXPECT_EQ(parse("*1\r\n$3\r\nabc\r\n*1\r\n$3\r\nabc\r\n", 1, {.bytes = 5, .elements = 1}).size(), 2u);
}

TEST(Parser, AClaimOfManyElementsAllocatesNothingMuch) {
    Parser parser;
    std::string_view bytes = "*4000000\r\n";
    EXPECT_FALSE(parser.next(bytes));
    EXPECT_TRUE(parser.in_the_middle());
}

TEST(Parser, StaysBrokenAfterARefusal) {
    Parser parser;
    std::string_view bytes = "?\r\n";
    EXPECT_THROW(parser.next(bytes), ProtocolError);
    std::string_view fine = "+OK\r\n";
    EXPECT_THROW(parser.next(fine), ProtocolError);
}

TEST(Value, RefusesWhatItIsNot) {
    auto const text = Value::text(Kind::bulk, "12");
    EXPECT_EQ(text.as_integer(), 12);
    EXPECT_EQ(Value::text(Kind::bulk, "1.25").as_real(), 1.25);
    EXPECT_THROW((void)Value::text(Kind::bulk, "1x").as_integer(), UnexpectedReply);
    EXPECT_THROW((void)Value::text(Kind::error, "12").as_integer(), UnexpectedReply);
    EXPECT_THROW((void)text.items(), UnexpectedReply);
    EXPECT_THROW((void)Value{}.as_text(), UnexpectedReply);
    EXPECT_THROW((void)Value::aggregate(Kind::array, {})[0], UnexpectedReply);
}

}  // namespace
}  // namespace buildplan::redis
