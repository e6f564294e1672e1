// Alarm: what one task waits with: until it is rung, until a point in time, or until everything of its circle ends.
// Ringing never runs the task on the spot, so libcurl's callbacks may do it.
#pragma once

#include <chrono>
#include <unordered_set>

#include "runtime/task.hpp"

namespace buildplan::net {

class Alarm;

// All alarms of one client.
class AlarmCircle {
public:
    // Wakes everybody, now and whoever waits later, with HttpError (closed).
    void end() noexcept;
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    friend class Alarm;
    std::unordered_set<Alarm*> members_;
    bool ended_ = false;
};

class Alarm {
public:
    using Time = std::chrono::steady_clock::time_point;

    Alarm(Executor const& executor, AlarmCircle& circle);
    ~Alarm();
    Alarm(Alarm const&) = delete;
    Alarm& operator=(Alarm const&) = delete;

    // May return early; look at what was waited for. Throws HttpError (closed), and boost::system::system_error
    // (operation_aborted) when the task is cancelled.
    task<> until(Time time);
    void ring() noexcept;

private:
    friend class AlarmCircle;
    AlarmCircle& circle_;
    Timer timer_;
    bool rung_ = false;
};

}  // namespace buildplan::net
