#include "postgres/value.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "postgres/session.hpp"
#include "postgres/test_database.hpp"

namespace buildplan::postgres {
namespace {

using namespace std::chrono_literals;
using test_support::postgres;

struct ThingTag;
using ThingId = Id<ThingTag>;

Uuid uuid(std::string_view text) { return Uuid::parse(text).value(); }

// What comes back for `value` from the server, together with the server's own words for what it was sent.
template <class T, std::uint32_t type>
struct Echo {
    static constexpr std::uint32_t types[] = {type};
    static constexpr Statement statement{"echo", "SELECT $1, $1::text", types};
    static constexpr Cardinality cardinality = Cardinality::one;
    struct Row {
        T value;
        std::optional<std::string> text;
    };
    T value;
    void bind(Parameters& parameters) const { parameters.add(value); }
    static Row read(RowView row) { return {row.get<T>(0), row.get<std::optional<std::string>>(1)}; }
};

Session& session() {
    static Session session([] { return postgres().url(); }());
    return session;
}

template <std::uint32_t type, class T>
void expect_round_trip(T const& value, std::optional<std::string> const& text) {
    session().execute("SET timezone = 'UTC'");
    auto const rows = session().rows(Echo<T, type>{value});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].value, value);
    EXPECT_EQ(rows[0].text, text);
}

// SELECT of one expression, read as T.
template <class T>
T read_as(std::string const& expression) {
    Parameters none;
    auto const sql = "SELECT " + expression;
    auto const result = session().run(Statement{"", sql, {}}, none);
    return RowView(result.get(), 0).get<T>(0);
}

TEST(Value, NumbersAndBooleansComeBackAsTheyWere) {
    expect_round_trip<oid::boolean>(true, "true");
    expect_round_trip<oid::boolean>(false, "false");
    expect_round_trip<oid::int2>(std::int16_t{-32768}, "-32768");
    expect_round_trip<oid::int4>(std::int32_t{-2}, "-2");
    expect_round_trip<oid::int4>(std::numeric_limits<std::int32_t>::max(), "2147483647");
    expect_round_trip<oid::int8>(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
    expect_round_trip<oid::int8>(std::int64_t{0x0102030405060708}, "72623859790382856");
    expect_round_trip<oid::float8>(-0.125, "-0.125");
    expect_round_trip<oid::float8>(std::numeric_limits<double>::infinity(), "Infinity");
}

TEST(Value, TextAndBytesComeBackAsTheyWere) {
    expect_round_trip<oid::text>(std::string("žluťoučký 🐎 'quoted' \\"), "žluťoučký 🐎 'quoted' \\");
    expect_round_trip<oid::text>(std::string(), "");
    expect_round_trip<oid::bytea>(std::string("\0\xff\n'", 4), "\\x00ff0a27");
    std::string const large(300'000, 'x');
    expect_round_trip<oid::text>(large, large);
}

TEST(Value, TimesComeBackToTheMicrosecond) {
    using std::chrono::sys_days;
    expect_round_trip<oid::timestamptz>(Timestamp{sys_days{2000y / 1 / 1}}, "2000-01-01 00:00:00+00");
    expect_round_trip<oid::timestamptz>(Timestamp{sys_days{1969y / 7 / 20}} + 20h + 17min + 40s + 1us,
                                        "1969-07-20 20:17:40.000001+00");
    expect_round_trip<oid::timestamptz>(Timestamp{sys_days{2026y / 2 / 28}} + 23h + 999'999us,
                                        "2026-02-28 23:00:00.999999+00");
    expect_round_trip<oid::timestamptz>(Timestamp::max(), "infinity");
    expect_round_trip<oid::timestamptz>(Timestamp::min(), "-infinity");
}

TEST(Value, TimeThatPostgresCannotHoldIsRefused) {
    Parameters parameters;
    EXPECT_THROW(parameters.add(Timestamp{std::chrono::microseconds{INT64_MIN + 1}}), std::out_of_range);
}

TEST(Value, IdsAndJsonComeBackAsTheyWere) {
    auto const id = uuid("0198c0de-0000-7000-8000-00000000ff01");
    expect_round_trip<oid::uuid>(id, "0198c0de-0000-7000-8000-00000000ff01");
    expect_round_trip<oid::uuid>(ThingId{id}, "0198c0de-0000-7000-8000-00000000ff01");
    expect_round_trip<oid::jsonb>(Json{R"({"a": [1, "ü", null]})"}, R"({"a": [1, "ü", null]})");
}

TEST(Value, NullComesBackAsNothing) {
    expect_round_trip<oid::text>(std::optional<std::string>{}, std::nullopt);
    expect_round_trip<oid::text>(std::optional<std::string>{""}, "");
    expect_round_trip<oid::uuid>(std::optional<ThingId>{}, std::nullopt);
    expect_round_trip<oid::jsonb>(std::optional<Json>{Json{"1"}}, "1");
}

TEST(Value, ArraysComeBackInOrder) {
    auto const a = uuid("0198c0de-0000-7000-8000-00000000ff01");
    auto const b = uuid("0198c0de-0000-7000-8000-00000000ff02");
    expect_round_trip<oid::uuid_array>(std::vector{ThingId{b}, ThingId{a}},
                                       "{0198c0de-0000-7000-8000-00000000ff02,0198c0de-0000-7000-8000-00000000ff01}");
    expect_round_trip<oid::text_array>(std::vector<std::string>{"a", "", "with, comma", "\"é\""},
                                       R"({a,"","with, comma","\"é\""})");
    expect_round_trip<oid::text_array>(std::vector<std::string>{}, "{}");
    expect_round_trip<oid::int8_array>(std::vector<std::int64_t>{-1, 0, 1}, "{-1,0,1}");
    expect_round_trip<oid::int4_array>(std::vector<std::int32_t>{7}, "{7}");
    expect_round_trip<oid::timestamptz_array>(std::vector{Timestamp{}}, R"({"1970-01-01 00:00:00+00"})");
    expect_round_trip<oid::text_array>(std::optional<std::vector<std::string>>{}, std::nullopt);
    std::vector<std::int64_t> many(10'000);
    std::iota(many.begin(), many.end(), 0);
    auto const rows = session().rows(Echo<std::vector<std::int64_t>, oid::int8_array>{many});
    EXPECT_EQ(rows[0].value, many);
}

TEST(Value, WhatDoesNotFitThrows) {
    EXPECT_THROW((void)read_as<std::string>("NULL::text"), std::logic_error);
    EXPECT_THROW((void)read_as<std::int64_t>("1::int4"), std::logic_error);
    EXPECT_THROW((void)read_as<bool>("'yes'::text"), std::logic_error);
    EXPECT_THROW((void)read_as<Uuid>("'short'::text"), std::logic_error);
    EXPECT_THROW((void)read_as<Json>("'{}'::json"), std::logic_error);
    EXPECT_THROW((void)read_as<std::vector<std::int64_t>>("ARRAY[1::int4]"), std::logic_error);
    EXPECT_THROW((void)read_as<std::vector<std::int64_t>>("ARRAY[1::int8, NULL]"), std::logic_error);
    EXPECT_THROW((void)read_as<std::vector<std::int64_t>>("ARRAY[ARRAY[1::int8]]"), std::logic_error);
    EXPECT_THROW((void)read_as<std::vector<std::int64_t>>("''::text"), std::logic_error);
}

TEST(Value, CutOffArraysThrow) {
    Parameters parameters;
    parameters.add(std::vector<std::string>{"one", "two"});
    std::string_view const whole(parameters.values()[0], static_cast<std::size_t>(parameters.lengths()[0]));
    std::vector<std::string> read;
    detail::take(whole, read);
    EXPECT_EQ(read, (std::vector<std::string>{"one", "two"}));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_THROW(detail::take(whole.substr(0, size), read), std::logic_error) << size;
    }
}

TEST(Parameters, AreUsedAgainWithoutAllocating) {
    Parameters parameters;
    for (int round = 0; round < 2; ++round) {
        parameters.clear();
        parameters.add(std::string_view("text"));
        parameters.add(std::optional<std::string_view>{});
        parameters.add(true);
        ASSERT_EQ(parameters.count(), 3);
        auto const* const values = parameters.values();
        EXPECT_EQ(std::string_view(values[0], static_cast<std::size_t>(parameters.lengths()[0])), "text");
        EXPECT_EQ(values[1], nullptr);
        EXPECT_EQ(values[2], values[0] + 4);
        EXPECT_EQ(parameters.formats()[2], 1);
    }
}

}  // namespace
}  // namespace buildplan::postgres
