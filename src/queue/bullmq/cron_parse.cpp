#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "queue/bullmq/cron.hpp"

namespace buildplan::queue::bullmq {
namespace {

struct Unit {
    std::string_view name;
    int min, max;
    std::string_view letters;  // allowed beside digits and , - * / ?
};
enum : int { second, minute, hour, day, month, weekday };
constexpr Unit units[] = {{"seconds", 0, 59, ""}, {"minutes", 0, 59, ""},
                          {"hours", 0, 23, ""},   {"days of the month", 1, 31, "L"},
                          {"months", 1, 12, ""},  {"days of the week", 0, 7, "L"}};
constexpr int days_in_month[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

constexpr std::pair<std::string_view, std::string_view> shorthands[] = {
    {"@yearly", "0 0 0 1 1 *"},    {"@annually", "0 0 0 1 1 *"}, {"@monthly", "0 0 0 1 * *"},
    {"@weekly", "0 0 0 * * 0"},    {"@daily", "0 0 0 * * *"},    {"@hourly", "0 0 * * * *"},
    {"@minutely", "0 * * * * *"},  {"@secondly", "* * * * * *"}, {"@weekdays", "0 0 0 * * 1-5"},
    {"@weekends", "0 0 0 * * 0,6"}};

[[noreturn]] void refuse(std::string const& why) { throw std::invalid_argument("cron pattern: " + why); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        auto const end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// Names of three letters to numbers.
std::string without_names(std::string_view text) {
    static constexpr std::string_view names = "janfebmaraprmayjunjulaugsepoctnovdec", days = "sunmontuewedthufrisat";
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (i + 3 > text.size() || !is_letter(text[i]) || !is_letter(text[i + 1]) || !is_letter(text[i + 2])) {
            out += text[i++];
            continue;
        }
        auto const name = ascii_lower(text.substr(i, 3));
        auto const find = [&](std::string_view in) {
            for (std::size_t at = 0; at < in.size(); at += 3)
                if (in.substr(at, 3) == name) return static_cast<int>(at / 3);
            return -1;
        };
        if (auto const found = find(names); found >= 0) {
            out += std::to_string(found + 1);
        } else if (auto const day_found = find(days); day_found >= 0) {
            out += std::to_string(day_found);
        } else {
            refuse(fmt::format("nobody knows a month or day called {}", name));
        }
        i += 3;
    }
    return out;
}

// As JavaScript's parseInt: digits at the beginning count.
std::optional<int> number(std::string_view text) {
    int value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || text.starts_with('-')) return {};
    static_cast<void>(end);
    return value;
}

// The values that one part of a list stands for.
std::vector<int> range(std::string_view part, Unit const& unit, bool is_weekday) {
    auto const pieces = split(part, '/');
    if (pieces.size() > 2) refuse(fmt::format("{} has two steps", part));
    auto const step = pieces.size() == 2 ? number(pieces[1]).value_or(0) : 1;
    auto const ends = split(pieces[0], '-');
    if (ends.size() == 1 && pieces.size() == 1) {
        auto const value = number(part);
        if (!value || part.find_first_not_of("0123456789") != part.npos || *value < unit.min || *value > unit.max)
            refuse(fmt::format("{} is not between {} and {}, as {} are", part, unit.min, unit.max, unit.name));
        return {is_weekday ? *value % 7 : *value};
    }
    auto const first = number(ends[0]);
    auto const last = ends.size() > 1 ? number(ends[1]) : std::optional(unit.max);
    if (!first || !last || *first < unit.min || *last > unit.max)
        refuse(fmt::format("{} is not within {}-{}, as {} are", part, unit.min, unit.max, unit.name));
    if (*first > *last) refuse(fmt::format("{} runs backwards", part));
    if (step <= 0) refuse(fmt::format("{} has a step that is none", part));
    std::vector<int> values;
    if (is_weekday && *last % 7 == 0 && (*last - *first) % step == 0) values.push_back(0);  // Sunday has two numbers
    for (int i = *first; i <= *last; i += step)
        if (std::ranges::find(values, i) == values.end()) values.push_back(i);
    return values;
}

}  // namespace

Cron::Field Cron::parse_field(std::string_view raw, int which) {
    auto const& unit = units[which];
    bool const named = which == month || which == weekday;
    auto text = named ? without_names(raw) : std::string(raw);
    for (char const c : text) {
        if (c == 'H') refuse("H is not supported");
        if (!(c >= '0' && c <= '9') && !std::string_view("?,*/-").contains(c) && !unit.letters.contains(c))
            refuse(fmt::format("{} has no place among {}", c, unit.name));
    }
    Field field;
    field.any = raw == "*" || raw == "?";
    auto const whole = fmt::format("{}-{}", unit.min, unit.max);
    std::string spelt;
    for (char const c : text) {
        if (c == '*' || c == '?')
            spelt += whole;
        else
            spelt += c;
    }
    for (auto const part : split(spelt, ',')) {
        if (part.empty()) refuse(fmt::format("a list of {} has a hole", unit.name));
        if (part.contains('L')) {
            auto const digits = part.substr(0, part.size() - 1);
            if (!part.ends_with('L') || digits.size() > 2 || digits.find_first_not_of("0123456789") != digits.npos)
                refuse(fmt::format("{} is no last day", part));
            if (which == weekday && digits.empty()) refuse("L among days of the week wants one before it");
            field.last = true;
            if (which == weekday) field.last_of.set(static_cast<std::size_t>(digits[0] - '0') % 7);
            continue;
        }
        for (int const value : range(part, unit, which == weekday)) {
            auto const at = static_cast<std::size_t>(value);
            if (field.values.test(at)) refuse(fmt::format("{} comes twice among {}", value, unit.name));
            field.values.set(at);
        }
    }
    // `1,5L` means the last Monday, too.
    if (field.last && which == weekday)
        for (std::size_t i = 0; i <= 7; ++i)
            if (field.values.test(i)) field.last_of.set(i % 7);
    return field;
}

Cron Cron::parse(std::string_view pattern) {
    constexpr std::size_t longest = 1024;
    if (pattern.size() > longest) refuse(fmt::format("longer than {} characters", longest));
    for (auto const& [name, meaning] : shorthands)
        if (pattern == name) pattern = meaning;
    std::vector<std::string_view> fields;
    for (auto rest = pattern; !rest.empty();) {
        auto const begin = rest.find_first_not_of(" \t\r\n\f\v");
        if (begin == rest.npos) break;
        rest.remove_prefix(begin);
        auto const end = std::min(rest.find_first_of(" \t\r\n\f\v"), rest.size());
        fields.push_back(rest.substr(0, end));
        rest.remove_prefix(end);
    }
    if (fields.size() > std::size(units)) refuse("more than six fields");
    static constexpr std::string_view usual[] = {"0", "*", "*", "*", "*", "*"};
    auto const missing = std::size(units) - fields.size();
    fields.insert(fields.begin(), std::begin(usual), std::begin(usual) + static_cast<std::ptrdiff_t>(missing));

    Cron cron;
    cron.second_ = parse_field(fields[second], second);
    cron.minute_ = parse_field(fields[minute], minute);
    cron.hour_ = parse_field(fields[hour], hour);
    cron.month_ = parse_field(fields[month], month);
    cron.day_ = parse_field(fields[day], day);

    auto week = fields[weekday];
    if (auto const nth = week.find('#'); nth != week.npos) {
        if (week.find_first_of(",-/") != week.npos) refuse("# goes with a single day of the week");
        auto const which = week.substr(nth + 1);
        if (which.size() != 1 || which[0] < '1' || which[0] > '5') refuse("after # comes a number from 1 to 5");
        cron.nth_weekday_ = which[0] - '0';
        week = week.substr(0, nth);
    }
    cron.weekday_ = parse_field(week, weekday);
    cron.weekday_.any = fields[weekday] == "*" || fields[weekday] == "?";

    if (cron.month_.values.count() == 1 && !cron.day_.last && cron.weekday_.any) {
        std::size_t only = 1;
        while (!cron.month_.values.test(only)) ++only;
        auto const longest_month = static_cast<std::size_t>(days_in_month[only - 1]);
        bool possible = false;
        for (std::size_t i = 1; i <= longest_month; ++i) possible = possible || cron.day_.values.test(i);
        if (!possible) refuse("the month has no such day");
    }
    return cron;
}

}  // namespace buildplan::queue::bullmq
