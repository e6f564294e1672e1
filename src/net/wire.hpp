// Wire: the socket of one connection with its output buffer and the time it has for what it is doing. Nothing here owns
// a timer: `expired` is asked by the sweep of the loop, which then calls `cut`; the operation that is under way ends
// and finds in `cut_by` why.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/metrics.hpp"
#include "net/server.hpp"
#include "runtime/task.hpp"

namespace buildplan::net {

using Clock = std::chrono::steady_clock;

// What a connection is waiting for.
enum class Phase : std::uint8_t { first_byte, idle, head, body, handler, write, linger, upgraded };

// Why a connection, or the request on it, was interrupted.
enum class Cut : std::uint8_t { no, first_byte, idle, head, body, write, total, linger, left, drain };
inline constexpr std::size_t cuts = 10;

// Good to a few milliseconds and cheap.
Clock::time_point coarse_now() noexcept;

class Wire {
public:
    Wire(TcpSocket socket, metrics::Counter& received, metrics::Counter& sent);

    [[nodiscard]] TcpSocket& socket() noexcept { return socket_; }
    [[nodiscard]] int fd() noexcept { return socket_.native_handle(); }

    // Zero: no limit.
    void enter(Phase phase, Clock::duration limit);
    [[nodiscard]] Phase phase() const noexcept { return phase_; }
    [[nodiscard]] Clock::time_point since() const noexcept { return since_; }
    // The bound on a request as a whole; Clock::time_point::max() takes it off.
    void bound_total(Clock::time_point until) noexcept { total_ = until; }

    // What the connection has run out of by `now`, Cut::no as long as it has not.
    [[nodiscard]] Cut expired(Clock::time_point now) const noexcept;
    // Interrupts the operation on the socket.
    void cut(Cut reason) noexcept;
    void note_cut(Cut reason) noexcept { cut_ = reason; }
    [[nodiscard]] Cut cut_by() const noexcept { return cut_; }
    void mend() noexcept { cut_ = Cut::no; }

    // Reads what is there, or waits for it. 0: the client has closed, the connection broke, or it was cut.
    task<std::size_t> receive(char* to, std::size_t room);
    // Waits until there is something to read, holding no buffer meanwhile.
    task<> wait_readable();

    std::string out;  // what is to be sent

    enum class Sent : std::uint8_t { all, some, broken };
    // Sends `out` and then `more` as far as the kernel takes them now, removing what is sent from both.
    Sent send_now(std::string_view& more) noexcept;
    Sent send_now() noexcept {
        std::string_view none;
        return send_now(none);
    }
    // Sends all of it; each byte taken gives the client another `progress`. False when it broke or was cut.
    task<bool> flush(std::string_view more, Clock::duration progress);

    // Ends the sending side, then reads and drops what the client still sends, so that it gets to read our last answer
    // (RFC 9112 section 9.6). Bounded in time and bytes.
    task<> linger(Clock::duration limit);

    // Whether the peer has gone: the connection is reset, or it has ended its side with nothing left to read.
    // `events` is what poll(2) says.
    [[nodiscard]] bool left(short events) noexcept;

private:
    TcpSocket socket_;
    metrics::Counter& received_;
    metrics::Counter& sent_;
    std::size_t sent_from_ = 0;  // of `out`
    Clock::time_point since_, until_ = Clock::time_point::max(), total_ = Clock::time_point::max();
    Phase phase_ = Phase::first_byte;
    Cut cut_ = Cut::no;
};

}  // namespace buildplan::net
