#include <date/tz.h>

#include <stdexcept>
#include <string>

#include "queue/bullmq/cron.hpp"

namespace buildplan::queue::bullmq {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Instant = std::chrono::sys_seconds;

date::time_zone const* find_zone(std::string_view name) {
    if (name.empty()) return nullptr;
    try {
        return date::locate_zone(std::string(name));
    } catch (std::runtime_error const&) {
        throw std::invalid_argument("nobody knows a time zone called " + std::string(name));
    }
}

// The first value after `at`, or -1.
int after(std::bitset<64> const& values, int at, int most) {
    for (int i = at + 1; i <= most; ++i)
        if (values.test(static_cast<std::size_t>(i))) return i;
    return -1;
}

}  // namespace

void check_time_zone(std::string_view zone) { find_zone(zone); }

// A walk through time in steps as large as the pattern allows. It remembers which hours the last step has left out
// because clocks went forward, and which it has come to for the second time.
class CronWalk {
public:
    CronWalk(Cron const& cron, date::time_zone const* zone, Instant begin) : cron_(cron), zone_(zone) { go(begin); }

    [[nodiscard]] Instant at() const { return at_; }

    // True when it stands where the pattern matches; else it has taken a step.
    bool matches_or_steps() {
        if (!cron_.month_.values.test(static_cast<unsigned>(date_.month()))) {
            go(begin_of(date::year_month_day{date_.year() / date_.month() / 1} + date::months{1}));
            return false;
        }
        if (!day_matches()) return to_next_day();
        if (!hour_matches()) return false;
        if (!cron_.minute_.values.test(static_cast<std::size_t>(minute_))) {
            auto const next = after(cron_.minute_.values, minute_, 59);
            if (next < 0) return to_next_hour();
            go(at_ + minutes{next - minute_} - seconds{second_});
            return false;
        }
        if (!cron_.second_.values.test(static_cast<std::size_t>(second_))) {
            auto const next = after(cron_.second_.values, second_, 59);
            if (next >= 0)
                go(at_ + seconds{next - second_});
            else
                step(at_ + minutes{1} - seconds{second_});
            return false;
        }
        return true;
    }

private:
    void go(Instant to) {
        at_ = to;
        offset_ = offset(to);
        auto const local = to + offset_;
        auto const day = std::chrono::floor<date::days>(local);
        date_ = date::year_month_day(date::sys_days(day.time_since_epoch()));
        auto const time = local - day;
        hour_ = static_cast<int>(std::chrono::duration_cast<hours>(time).count());
        minute_ = static_cast<int>(std::chrono::duration_cast<minutes>(time).count() % 60);
        second_ = static_cast<int>(time.count() % 60);
    }

    seconds offset(Instant when) {
        if (!zone_) return seconds{0};
        if (when < info_.begin || when >= info_.end) info_ = zone_->get_info(when);
        return info_.offset;
    }

    // A step of an hour or less: it may cross a change of clocks.
    bool step(Instant to) {
        auto const old_hour = hour_;
        auto const old_offset = offset_;
        go(to);
        if (cron_.hour_.values.count() == 24) return false;
        auto const advance = (hour_ - old_hour + 24) % 24;
        if (offset_ > old_offset && advance >= 2) {
            left_out_ = (old_hour + 1) % 24;
            landing_ = hour_;
        } else if (advance == 0 && minute_ == 0 && second_ == 0) {
            again_ = hour_;
        }
        return false;
    }

    bool to_next_hour() { return step(at_ + hours{1} - minutes{minute_} - seconds{second_}); }
    bool to_next_day() {
        go(begin_of(date::sys_days(date_) + date::days{1}));
        return false;
    }

    // Midnight, or the first moment after it where there is none that day.
    [[nodiscard]] Instant begin_of(date::year_month_day day) const {
        auto const midnight = date::local_days(day);
        if (!zone_) return Instant{midnight.time_since_epoch()};
        return zone_->to_sys(midnight + seconds{0}, date::choose::earliest);
    }

    bool clocks_change_today() {
        if (!zone_) return false;
        auto const begin = begin_of(date_);
        auto const end = begin_of(date::sys_days(date_) + date::days{1}) - seconds{1};
        return zone_->get_info(begin).offset != zone_->get_info(end).offset;
    }

    bool hour_matches() {
        auto const& wanted = cron_.hour_.values;
        if (left_out_ >= 0 && landing_ == hour_)
            for (int hour = left_out_; hour != hour_; hour = (hour + 1) % 24)
                if (wanted.test(static_cast<std::size_t>(hour))) return true;
        if (again_ == hour_) {
            again_ = -1;
            to_next_hour();
            return false;
        }
        if (wanted.test(static_cast<std::size_t>(hour_))) return true;
        left_out_ = landing_ = -1;
        auto const next = after(wanted, hour_, 23);
        if (next < 0) {
            to_next_day();
        } else if (clocks_change_today()) {
            for (int steps = next - hour_; steps > 0 && hour_ < next; --steps) to_next_hour();
        } else {
            go(at_ + hours{next - hour_} - minutes{minute_} - seconds{second_});
        }
        return false;
    }

    [[nodiscard]] bool day_matches() const {
        auto const day = static_cast<unsigned>(date_.day());
        auto const last = static_cast<unsigned>((date_.year() / date_.month() / date::last).day());
        auto const weekday = date::weekday(date_).c_encoding();
        auto const& days = cron_.day_;
        auto const& week = cron_.weekday_;
        bool const by_day = days.values.test(day) || (days.last && day == last);
        bool const by_week =
            (week.values.test(weekday) && (cron_.nth_weekday_ == 0 || (day + 6) / 7 == unsigned(cron_.nth_weekday_))) ||
            (week.last && day + 7 > last && week.last_of.test(weekday));
        if (week.any) return by_day;
        if (days.any) return by_week;
        return by_day || by_week;
    }

    Cron const& cron_;
    date::time_zone const* zone_;
    date::sys_info info_{};
    Instant at_;
    seconds offset_{0};
    date::year_month_day date_{};
    int hour_ = 0, minute_ = 0, second_ = 0;
    int left_out_ = -1, landing_ = -1;  // the first hour that was left out, and the one after them
    int again_ = -1;                    // the hour that comes for the second time
};

std::optional<Moment> Cron::next(Moment from, std::string_view zone, std::optional<Moment> until) const {
    constexpr int most_steps = 10'000;
    CronWalk walk(*this, find_zone(zone), std::chrono::floor<seconds>(from) + seconds{1});
    for (int steps = 0; steps < most_steps; ++steps) {
        if (until && walk.at() > *until) return {};
        if (walk.matches_or_steps()) return Moment{walk.at().time_since_epoch()};
    }
    return {};
}

}  // namespace buildplan::queue::bullmq
