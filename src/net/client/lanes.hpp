// Lanes: who may have a connection. So many at once to one origin, so many in all, and a bounded crowd that waits; when
// one becomes free the origins take turns, so that a slow one holds up only those who call it. libcurl has limits of
// its own, but a request that waits for them has no timeout.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "net/client/alarm.hpp"

namespace buildplan::net {

class Lanes {
public:
    struct Limits {
        std::size_t per_origin, total, waiting;
    };

private:
    struct Lane;
    struct Entry {
        Lanes* lanes;
        Lane* lane;
        Alarm* alarm;
        bool admitted = false;
    };

public:
    // Held while a connection may be used.
    class Pass {
    public:
        Pass(Pass&&) noexcept = default;
        Pass& operator=(Pass&&) = delete;
        ~Pass();

    private:
        friend class Lanes;
        explicit Pass(std::unique_ptr<Entry> entry) : entry_(std::move(entry)) {}
        std::unique_ptr<Entry> entry_;
    };

    explicit Lanes(Limits limits) : limits_(limits) {}
    Lanes(Lanes const&) = delete;
    Lanes& operator=(Lanes const&) = delete;

    // Throws HttpError (overloaded; timeout at the deadline) and what the alarm throws. `alarm` outlives the pass.
    task<Pass> enter(std::string origin, Alarm& alarm, Alarm::Time deadline);

    [[nodiscard]] std::size_t active() const noexcept { return active_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

private:
    struct Lane {
        std::string origin;
        std::size_t active = 0;
        std::deque<Entry*> waiting;
        bool queued = false;  // in turns_: somebody waits, and the origin may have one more
    };
    void admit(Entry& entry);
    void leave(Entry& entry);
    void take_turn(Lane& lane);  // lines the lane up if it can use a free connection
    void give_out();

    Limits limits_;
    std::size_t active_ = 0;
    std::size_t waiting_ = 0;
    std::map<std::string, Lane, std::less<>> lanes_;
    std::deque<Lane*> turns_;
};

}  // namespace buildplan::net
