// What npm's cron-parser says of the same patterns is compared in tests/interop/bullmq/cron.test.mjs.
#include "queue/bullmq/cron.hpp"

#include <date/date.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/time.hpp"

namespace buildplan::queue::bullmq {
namespace {

Moment at(std::string_view text) { return std::chrono::floor<Millis>(*parse_rfc3339(text)); }

std::string next(std::string_view pattern, std::string_view after, std::string_view zone = "") {
    auto const found = Cron::parse(pattern).next(at(after), zone);
    return found ? to_rfc3339(*found) : "never";
}

TEST(Cron, FieldsMeanWhatTheyDoEverywhere) {
    EXPECT_EQ(next("0 3 * * *", "2026-01-31T03:00:00Z"), "2026-02-01T03:00:00.000Z");
    EXPECT_EQ(next("*/15 9-17 * * 1-5", "2026-11-27T17:45:00Z"), "2026-11-30T09:00:00.000Z");
    EXPECT_EQ(next("30 * * * * *", "2026-01-01T00:00:30.500Z"), "2026-01-01T00:01:30.000Z");
    EXPECT_EQ(next("0 0 29 2 *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00:00.000Z");
}

TEST(Cron, TheLastAndTheNthDay) {
    EXPECT_EQ(next("0 12 L * *", "2026-02-01T00:00:00Z"), "2026-02-28T12:00:00.000Z");
    EXPECT_EQ(next("0 12 * * 5L", "2026-11-01T00:00:00Z"), "2026-11-27T12:00:00.000Z");
    EXPECT_EQ(next("0 12 * * 1#2", "2026-11-01T00:00:00Z"), "2026-11-09T12:00:00.000Z");
    EXPECT_EQ(next("0 0 * FEB mon#5", "2026-01-01T00:00:00Z"), "2044-02-29T00:00:00.000Z");
}

TEST(Cron, ADayMatchesEitherWayWhereBothAreRestricted) {
    EXPECT_EQ(next("0 0 13 * 5", "2026-11-01T00:00:00Z"), "2026-11-06T00:00:00.000Z");
    EXPECT_EQ(next("0 0 13 * 5", "2026-11-06T00:00:00Z"), "2026-11-13T00:00:00.000Z");
    EXPECT_EQ(next("0 0 1 * 1-7", "2026-11-01T00:00:00Z"), "2026-11-02T00:00:00.000Z");
}

TEST(Cron, WhatIsLeftOutWhenClocksGoForwardComesInTheHourAfter) {
    EXPECT_EQ(next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin"), "2026-03-29T01:30:00.000Z");
    EXPECT_EQ(next("30 2 * * *", "2026-03-29T01:30:00Z", "Europe/Berlin"), "2026-03-30T00:30:00.000Z");
}

TEST(Cron, WhatComesTwiceWhenClocksGoBackCountsOnce) {
    EXPECT_EQ(next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
    EXPECT_EQ(next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-26T01:30:00.000Z");
    EXPECT_EQ(next("30 * * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-25T01:30:00.000Z")
        << "every hour is every hour";
}

TEST(Cron, EndsWhereItIsToEnd) {
    auto const daily = Cron::parse("@daily");
    EXPECT_EQ(daily.next(at("2026-01-01T00:00:00Z"), "", at("2026-01-01T23:59:59Z")), std::nullopt);
    EXPECT_EQ(daily.next(at("2026-01-01T00:00:00Z"), "", at("2026-01-02T00:00:00Z")), at("2026-01-02T00:00:00Z"));
}

TEST(Cron, WhatMakesNoSenseIsRefused) {
    for (auto const* pattern :
         {"60 * * * *",    "* 24 * * *",  "* * 0 * *",   "* * 32 * *",    "* * * 13 *",  "* * * * 8",
          "5-1 * * * *",   "*/0 * * * *", "*/x * * * *", "1,,2 * * * *",  "1,1 * * * *", "0 0 30 2 *",
          "0 0 31 4 *",    "a * * * *",   "* * * foo *", "1 2 3 4 5 6 7", "* * * * L",   "* * * * 1#6",
          "* * * * 1,2#3", "H * * * *",   "* * * * 0,7", "1/2/3 * * * *"}) {
        EXPECT_THROW(Cron::parse(pattern), std::invalid_argument) << pattern;
    }
    EXPECT_THROW(Cron::parse(std::string(2000, '*')), std::invalid_argument);
    EXPECT_THROW(check_time_zone("Europe/Atlantis"), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(Cron::parse("@daily").next(at("2026-01-01T00:00:00Z"), "../passwd")),
                 std::invalid_argument);
}

// One list, range or step of a field, and whether a value is of it.
struct Part {
    std::string text;
    std::vector<int> values;
};

// Lists and ranges stay between `min` and `max`; what reaches over the whole field ends at `last_of_field`.
Part any_field(int min, int max, int last_of_field) {
    Part part;
    switch (*rc::gen::inRange(0, 4)) {
        case 0:
            part.text = "*";
            for (int i = min; i <= last_of_field; ++i) part.values.push_back(i);
            break;
        case 1: {
            auto const values = *rc::gen::unique<std::vector<int>>(3, rc::gen::inRange(min, max + 1));
            for (int const value : values) part.text += (part.text.empty() ? "" : ",") + std::to_string(value);
            part.values = values;
            break;
        }
        case 2: {
            auto const first = *rc::gen::inRange(min, max + 1), last = *rc::gen::inRange(first, max + 1);
            part.text = std::to_string(first) + "-" + std::to_string(last);
            for (int i = first; i <= last; ++i) part.values.push_back(i);
            break;
        }
        default: {
            auto const step = *rc::gen::inRange(1, max + 5);
            part.text = "*/" + std::to_string(step);
            for (int i = min; i <= last_of_field; i += step) part.values.push_back(i);
        }
    }
    return part;
}

bool has(Part const& part, unsigned value) {
    return std::ranges::find(part.values, static_cast<int>(value)) != part.values.end();
}

RC_GTEST_PROP(Cron, FindsWhatALookAtEveryMinuteFinds, ()) {
    // Days of lists and ranges are such that each month has them, so that there is always a next moment.
    auto const minute = any_field(0, 59, 59), hour = any_field(0, 23, 23), day = any_field(1, 28, 31),
               month = any_field(1, 12, 12), weekday = any_field(0, 6, 6);
    auto const pattern = minute.text + " " + hour.text + " " + day.text + " " + month.text + " " + weekday.text;
    auto const begin = at("2026-01-01T00:00:00Z") + std::chrono::minutes(*rc::gen::inRange(0, 525'600));
    auto const found = Cron::parse(pattern).next(begin, "");
    RC_ASSERT(found.has_value());
    auto const matches = [&](Moment moment) {
        auto const today = std::chrono::floor<date::days>(moment);
        date::year_month_day const ymd{date::sys_days(today)};
        auto const of_day = std::chrono::duration_cast<std::chrono::minutes>(moment - today).count();
        bool const by_day = has(day, unsigned(ymd.day())),
                   by_week = has(weekday, date::weekday(ymd).c_encoding());
        bool const right_day = weekday.text == "*" ? by_day : day.text == "*" ? by_week : by_day || by_week;
        return right_day && has(month, unsigned(ymd.month())) && has(hour, unsigned(of_day / 60)) &&
               has(minute, unsigned(of_day % 60));
    };
    RC_ASSERT(matches(*found));
    // Not further back than a month: it would take too long.
    auto earlier = std::max(begin + std::chrono::minutes{1}, *found - std::chrono::days{31});
    for (; earlier < *found; earlier += std::chrono::minutes{1}) RC_ASSERT(!matches(earlier));
}

}  // namespace
}  // namespace buildplan::queue::bullmq
