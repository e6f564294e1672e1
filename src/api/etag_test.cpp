#include "api/etag.hpp"

#include <gtest/gtest.h>

#include "api/http_date.hpp"
#include "core/problem.hpp"

namespace buildplan::api {
namespace {

auto const id = *Uuid::parse("0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f");
auto const other = *Uuid::parse("0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70");

TEST(ETags, SayVersionAndResource) {
    EXPECT_EQ(make_etag(id, 7), R"("7.5e8a1c2b4d6f")");
    EXPECT_NE(make_etag(id, 7), make_etag(other, 7));
}

TEST(IfMatch, AllowsAnythingWithoutAHeaderOrWithAStar) {
    EXPECT_TRUE(parse_if_match(std::nullopt, id).anything);
    EXPECT_TRUE(parse_if_match(" * ", id).anything);
}

TEST(IfMatch, AllowsTheVersionsThatItNames) {
    auto const match = parse_if_match(R"("7.5e8a1c2b4d6f", ,"9.5e8a1c2b4d6f")", id);
    EXPECT_FALSE(match.anything);
    EXPECT_EQ(match.versions, (std::vector<std::int64_t>{7, 9}));
}

TEST(IfMatch, ComparesStronglyAndOnlyWithThatResource) {
    EXPECT_TRUE(parse_if_match(R"(W/"7.5e8a1c2b4d6f")", id).versions.empty());
    EXPECT_TRUE(parse_if_match(make_etag(other, 7), id).versions.empty());
    for (auto const strange :
         {R"("")", R"("7")", R"("07.5e8a1c2b4d6f")", R"("7.5E8A1C2B4D6F")", R"("+7.5e8a1c2b4d6f")", R"("x")"}) {
        auto const match = parse_if_match(strange, id);
        EXPECT_FALSE(match.anything) << strange;
        EXPECT_TRUE(match.versions.empty()) << strange;
    }
}

TEST(IfMatch, IsRefusedWhenItIsNoListOfTags) {
    for (auto const bad : {"", ",", "7", R"("7)", R"("7" "8")", R"(w/"7")", R"(*, "7")"}) {
        EXPECT_THROW(parse_if_match(bad, id), Problem) << bad;
    }
    std::string many;
    for (int i = 0; i < 17; ++i) many += R"("1",)";
    EXPECT_THROW(parse_if_match(many, id), Problem);
}

TEST(IfNoneMatch, ComparesWeakly) {
    auto const tag = make_etag(id, 7);
    EXPECT_TRUE(none_match_names(tag, tag));
    EXPECT_TRUE(none_match_names("W/" + tag, tag));
    EXPECT_TRUE(none_match_names("\"a\", W/" + tag, tag));
    EXPECT_TRUE(none_match_names("*", tag));
    EXPECT_FALSE(none_match_names("\"a\"", tag));
    EXPECT_FALSE(none_match_names("nonsense", tag));
    EXPECT_FALSE(none_match_names("", tag));
}

TEST(Dates, AreWrittenAsHeadersHaveThem) {
    EXPECT_EQ(deprecation_header("2027-01-31"), "@1801353600");
    EXPECT_EQ(sunset_header("2027-01-31"), "Sun, 31 Jan 2027 00:00:00 GMT");
    EXPECT_EQ(deprecation_header(""), "");
    EXPECT_THROW(sunset_header("soon"), std::logic_error);
}

}  // namespace
}  // namespace buildplan::api
