// Link: one connection that keeps coming back. Private to this folder; Client, Blocking and Subscriber stand on it.
//
// What is submitted in one turn of the loop leaves in one write; replies are handed out by order. A link is up only
// once the server has answered PING, so a server that hangs or still loads counts as gone. Losing the connection fails
// everything on its way at once. When a command's time is over and nothing at all has come back since it was submitted,
// the server may hang: nothing new is taken until it is heard again, and after the client's usual timeout the
// connection is given up.
//
// All of it on one loop's thread. Callers are resumed in place and may submit, cancel and stop from there.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "redis/command.hpp"
#include "redis/errors.hpp"
#include "redis/options.hpp"
#include "redis/parser.hpp"
#include "redis/signal.hpp"
#include "runtime/completion.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"

namespace buildplan::redis {

using Clock = std::chrono::steady_clock;

// Several commands that one caller waits for, perhaps on several links. The first failure ends the wait.
struct Flight {
    explicit Flight(std::size_t commands) : replies(commands), missing(commands) {}
    void answer(std::size_t index, Value value) {
        replies[index] = std::move(value);
        if (--missing == 0) done(std::move(replies));
    }
    std::vector<Value> replies;
    std::size_t missing;
    Completion<std::vector<Value>> done;
};

// What the links of one client on one loop count together.
struct LinkMetrics {
    LinkMetrics(metrics::Registry& registry, std::string_view name);
    metrics::Counter &commands, &error_replies, &timeouts, &refused, &lost, &connects, &redirected;
    metrics::Gauge &in_flight, &up;
    metrics::Histogram& latency;
};

// What the links of one client share; outlives them.
struct LinkContext {
    LinkContext(Loop& loop_, Options options_)
        : loop(loop_), options(std::move(options_)), counts(loop.metrics(), options.name) {}
    Loop& loop;
    Options const options;
    LinkMetrics counts;
};

class Link : public std::enable_shared_from_this<Link> {
public:
    // In `listening` mode nothing is matched with commands: all that comes goes to on_push.
    enum class Mode : bool { asking, listening };

    Link(std::shared_ptr<LinkContext> context, Endpoint endpoint, Mode mode = Mode::asking);

    // Called in place; cleared by stop().
    std::function<void(bool up)> on_state;
    std::function<void(Value const&)> on_push;

    void start();
    // Ends it for good; what is on its way fails in the next turn of the loop.
    void stop();
    // Refuses what is new and waits for what is on its way.
    task<> drain();
    // Gives the connection up and makes another.
    void drop(std::string why);

    [[nodiscard]] Endpoint const& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] bool up() const noexcept { return up_ && !silent_ && !draining_; }
    task<bool> wait_up(Clock::time_point until);

    // Whether there is room for so many more commands; submit() must not be called where there is not.
    [[nodiscard]] bool takes(std::size_t commands = 1) const noexcept;
    // Throws Unavailable where it does not take them.
    void require(std::size_t commands = 1) const;
    // `done` or `flight` get the reply. None of the three suspends, so what is submitted together stays together.
    void submit(Command const& command, Completion<Value> done);
    void submit(Command const& command, std::shared_ptr<Flight> flight, std::size_t index);
    void submit(Command const& command);  // nobody waits for the reply
    // In `listening` mode.
    void write(Command const& command);

private:
    using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
    struct Pending {
        Completion<Value> done;
        std::shared_ptr<Flight> flight;
        std::size_t index = 0;
        Script const* script = nullptr;
        bool late = false;  // its caller has been told
        Clock::time_point submitted, deadline;
    };

    static task<> run(std::shared_ptr<Link> self);
    task<> connect();
    task<> greet();
    task<> read();
    Pending& push(Command const& command);
    void received(std::string_view bytes);
    void answer(Pending pending, std::uint64_t number, Value value, Clock::time_point now);
    void came_up();
    void went_down(std::string const& why);
    void cancel(std::uint64_t number);
    void flush_soon();
    void flush();
    void watch_deadline(Clock::time_point deadline);
    void sweep();
    Clock::duration next_backoff();

    std::shared_ptr<LinkContext> context_;
    Endpoint endpoint_;
    Mode mode_;

    Socket socket_;
    asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver_;
    Timer timer_;      // of the connection being made, then of the pause between two
    Timer deadlines_;  // the earliest of pending_, or earlier
    std::optional<Clock::time_point> deadlines_at_;
    unsigned connection_ = 0;  // counts them, so that what belongs to an earlier one is recognised
    bool up_ = false, stopped_ = false, draining_ = false;
    bool silent_ = false;     // somebody waited in vain, and nothing has come since: others do not try
    bool connected_ = false;  // up_ until everybody knows that it is no more
    std::string reason_;      // why we gave the connection up ourselves
    Clock::duration backoff_{0};

    std::deque<Pending> pending_;
    std::uint64_t first_pending_ = 0;                                 // the number of pending_.front()
    std::unordered_map<Script const*, std::uint64_t> known_scripts_;  // on this connection, by the number that sent it
    Parser parser_;
    std::vector<char> in_;
    std::string out_, sending_;
    bool flush_posted_ = false, writing_ = false;
    Clock::time_point last_received_;
    Signal came_up_, drained_;
};

}  // namespace buildplan::redis
