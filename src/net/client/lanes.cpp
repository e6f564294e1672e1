#include "net/client/lanes.hpp"

#include "net/client/http_message.hpp"

namespace buildplan::net {

Lanes::Pass::~Pass() {
    if (entry_) entry_->lanes->leave(*entry_);
}

task<Lanes::Pass> Lanes::enter(std::string origin, Alarm& alarm, Alarm::Time deadline) {
    auto& lane = lanes_[origin];
    if (lane.origin.empty()) lane.origin = std::move(origin);
    bool const free = lane.waiting.empty() && lane.active < limits_.per_origin && active_ < limits_.total;
    if (!free && waiting_ >= limits_.waiting) {
        throw HttpError(HttpError::Kind::overloaded, "too many requests wait for a connection", true);
    }
    Pass pass(std::make_unique<Entry>(Entry{this, &lane, &alarm}));
    auto& entry = *pass.entry_;
    if (free) {
        admit(entry);
    } else {
        lane.waiting.push_back(&entry);
        ++waiting_;
        take_turn(lane);
    }
    while (!entry.admitted) {
        if (std::chrono::steady_clock::now() >= deadline) {
            throw HttpError(HttpError::Kind::timeout, "no connection became free in time", true);
        }
        co_await alarm.until(deadline);
    }
    co_return pass;
}

void Lanes::admit(Entry& entry) {
    entry.admitted = true;
    ++entry.lane->active;
    ++active_;
}

void Lanes::leave(Entry& entry) {
    auto& lane = *entry.lane;
    if (entry.admitted) {
        --lane.active;
        --active_;
        take_turn(lane);
        give_out();
    } else {
        std::erase(lane.waiting, &entry);
        --waiting_;
        if (lane.queued && lane.waiting.empty()) {
            std::erase(turns_, &lane);
            lane.queued = false;
        }
    }
    if (lane.active == 0 && lane.waiting.empty()) lanes_.erase(std::string(lane.origin));
}

void Lanes::take_turn(Lane& lane) {
    if (lane.queued || lane.waiting.empty() || lane.active >= limits_.per_origin) return;
    lane.queued = true;
    turns_.push_back(&lane);
}

void Lanes::give_out() {
    while (active_ < limits_.total && !turns_.empty()) {
        auto& lane = *turns_.front();
        turns_.pop_front();
        lane.queued = false;
        auto& entry = *lane.waiting.front();
        lane.waiting.pop_front();
        --waiting_;
        admit(entry);
        entry.alarm->ring();
        take_turn(lane);
    }
}

}  // namespace buildplan::net
