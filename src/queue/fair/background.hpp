// Background: tasks of one loop that run until they are told to stop: they are cancelled at their next wait, and stop()
// returns when the last has ended. One that ends by an exception is logged under its name.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <string>
#include <string_view>

#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::queue::fair {

class Background {
public:
    explicit Background(Loop& loop) : loop_(loop) {}
    Background(Background const&) = delete;
    Background& operator=(Background const&) = delete;

    // Does nothing once stop() was called.
    void spawn(std::string_view name, task<> work);
    task<> stop();

private:
    Loop& loop_;
    std::list<asio::cancellation_signal> signals_;
    Gate gate_;
    bool stopped_ = false;
};

}  // namespace buildplan::queue::fair
