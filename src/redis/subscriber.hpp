// Subscriber: the one connection of a shard that listens to channels. It resubscribes after a loss and then says that
// messages may have been missed: pub/sub remembers nothing, so whoever keeps copies of anything has to drop them.
// Handlers run on the loop, one message at a time, and must not throw; they may subscribe and unsubscribe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "redis/options.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"

namespace buildplan::redis {

class Subscriber {
public:
    using Handler = std::function<void(std::string_view channel, std::string_view message)>;
    // `live` false: the connection is lost, nothing arrives. True: every subscription stands (again) on the server;
    // messages sent before this moment may have been missed.
    using Watcher = std::function<void(bool live)>;

    // What a caller holds while it listens; ends with it.
    class Subscription {
    public:
        Subscription() = default;
        Subscription(Subscription&& other) noexcept : undo_(std::exchange(other.undo_, nullptr)) {}
        Subscription& operator=(Subscription&& other) noexcept;
        ~Subscription() { end(); }
        void end();

    private:
        friend class Subscriber;
        std::function<void()> undo_;
    };

    // Begins to connect at once. `loop` outlives it.
    Subscriber(Loop& loop, Options options);
    ~Subscriber();
    Subscriber(Subscriber const&) = delete;
    Subscriber& operator=(Subscriber const&) = delete;

    [[nodiscard]] Subscription subscribe(std::string channel, Handler handler);
    [[nodiscard]] Subscription psubscribe(std::string pattern, Handler handler);  // a glob, as Redis has them
    [[nodiscard]] Subscription watch(Watcher watcher);

    // Connected, and all that was asked for has been confirmed.
    [[nodiscard]] bool live() const noexcept;
    // Waits until it is, at most so long; tells whether it is.
    task<bool> wait_live(std::chrono::milliseconds patience);

    void close();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace buildplan::redis
