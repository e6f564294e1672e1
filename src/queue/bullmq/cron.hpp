// Cron: when a pattern of cron comes up next, in a time zone, with the meanings of npm's cron-parser 5, which decides
// it for BullMQ: five fields or six (seconds first), names of months and days, lists, ranges, steps, `L` (the last day
// of the month; `5L` its last Friday), `#` (`1#2` its second Monday), `?`, @daily and the like. A day matches by day of
// the month or day of the week where both are restricted.
//
// Where clocks go forward, what lies in the hour left out comes in the hour after it; where they go back, the hour that
// comes twice counts once, except for patterns of every hour. `H` is not supported: BullMQ gives it no seed, so that it
// would mean another time whenever it is read.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "queue/bullmq/time.hpp"

namespace buildplan::queue::bullmq {

class Cron {
public:
    // Throws std::invalid_argument that says what is wrong.
    static Cron parse(std::string_view pattern);

    // The first after `after`, not beyond `until`. `zone` is a name of the IANA database, "" is UTC. Nothing when there
    // is none that anybody would wait for. Throws std::invalid_argument for a zone that is not known.
    [[nodiscard]] std::optional<Moment> next(Moment after, std::string_view zone,
                                             std::optional<Moment> until = {}) const;

private:
    struct Field {
        std::bitset<64> values;
        bool any = false;         // written as * or ?
        bool last = false;        // has an L
        std::bitset<10> last_of;  // of days of the week: which
    };
    static Field parse_field(std::string_view text, int unit);
    friend class CronWalk;

    Field second_, minute_, hour_, day_, month_, weekday_;
    int nth_weekday_ = 0;  // 0: each
};

// Throws std::invalid_argument for a zone that is not known.
void check_time_zone(std::string_view zone);

}  // namespace buildplan::queue::bullmq
