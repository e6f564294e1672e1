// Listener: hears what a Bell rings, on a connection of its own that does nothing else. Connects again by itself, with
// backoff; after each time it takes it that something was rung meanwhile. A notification is a hint and may be lost with
// its connection, so whoever listens also looks by itself now and then. It cannot work through PgBouncer in transaction
// mode (LISTEN belongs to a server connection): with Options::named_statements off it never connects.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "postgres/options.hpp"
#include "runtime/loop.hpp"
#include "runtime/offload.hpp"

namespace buildplan::postgres {

class Listener {
public:
    // `heard` is called on the loop's thread, never from inside a call of ours, once for all that came at the same
    // time. `offload` resolves names. Both outlive it.
    Listener(Loop& loop, Offload& offload, Options options, std::string channel, std::function<void()> heard);
    ~Listener();  // closes at once
    Listener(Listener const&) = delete;
    Listener& operator=(Listener const&) = delete;

    void start();
    void stop();
    // Whether it would hear now.
    [[nodiscard]] bool live() const noexcept;

private:
    class Line;
    std::shared_ptr<Line> line_;
};

}  // namespace buildplan::postgres
