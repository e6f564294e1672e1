// Time as BullMQ counts it: milliseconds.
#pragma once

#include <chrono>

namespace buildplan::queue::bullmq {

using Millis = std::chrono::milliseconds;
using Moment = std::chrono::sys_time<Millis>;

inline Moment moment_now() noexcept { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }
inline std::int64_t millis_of(Moment moment) noexcept { return moment.time_since_epoch().count(); }

}  // namespace buildplan::queue::bullmq
