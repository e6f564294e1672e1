#include "net/wire.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>

namespace buildplan::net {
namespace {

constexpr std::size_t kept_output = 16u << 10;  // capacity that `out` may keep
constexpr std::size_t max_lingered = 1 << 20;

// The cut that a phase's own limit stands for.
constexpr Cut limit_of(Phase phase) noexcept {
    switch (phase) {
        case Phase::first_byte:
            return Cut::first_byte;
        case Phase::idle:
            return Cut::idle;
        case Phase::head:
            return Cut::head;
        case Phase::body:
            return Cut::body;
        case Phase::write:
            return Cut::write;
        case Phase::linger:
            return Cut::linger;
        case Phase::handler:
        case Phase::upgraded:
            return Cut::total;
    }
    return Cut::total;
}

// Reads and forgets what is there, 64 KB at most. 0: there will be no more.
std::size_t drop_input(int fd) noexcept {
    std::array<char, 16u << 10> scratch;
    std::size_t dropped = 0;
    while (dropped < 4 * scratch.size()) {
        auto const n = ::recv(fd, scratch.data(), scratch.size(), MSG_DONTWAIT);
        if (n == 0) return 0;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? std::max<std::size_t>(dropped, 1) : 0;
        dropped += static_cast<std::size_t>(n);
    }
    return dropped;
}

}  // namespace

Clock::time_point coarse_now() noexcept {
    // The same clock as std::chrono::steady_clock, as of the last tick.
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return Clock::time_point{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

Wire::Wire(TcpSocket socket, metrics::Counter& received, metrics::Counter& sent)
    : socket_(std::move(socket)), received_(received), sent_(sent), since_(coarse_now()) {}

void Wire::enter(Phase phase, Clock::duration limit) {
    phase_ = phase;
    since_ = coarse_now();
    until_ = limit == Clock::duration::zero() ? Clock::time_point::max() : since_ + limit;
}

Cut Wire::expired(Clock::time_point now) const noexcept {
    if (now >= until_) return limit_of(phase_);
    return now >= total_ ? Cut::total : Cut::no;
}

void Wire::cut(Cut reason) noexcept {
    cut_ = reason;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

task<std::size_t> Wire::receive(char* to, std::size_t room) {
    boost::system::error_code error;
    auto const n = co_await socket_.async_read_some(asio::buffer(to, room), asio::redirect_error(use_task, error));
    if (error) co_return 0;
    received_.add(n);
    // A cut for waiting too long, that came when these bytes were there already.
    if (cut_ != Cut::total && cut_ != Cut::left && cut_ != Cut::drain) cut_ = Cut::no;
    co_return n;
}

task<> Wire::wait_readable() {
    boost::system::error_code ignored;
    co_await socket_.async_wait(TcpSocket::wait_read, asio::redirect_error(use_task, ignored));
}

Wire::Sent Wire::send_now(std::string_view& more) noexcept {
    while (!out.empty() || !more.empty()) {
        iovec parts[2] = {{out.data() + sent_from_, out.size() - sent_from_},
                          {const_cast<char*>(more.data()), more.size()}};
        msghdr message{};
        message.msg_iov = out.empty() ? parts + 1 : parts;
        message.msg_iovlen = !out.empty() && !more.empty() ? 2 : 1;
        auto const n = ::sendmsg(fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EINTR) continue;
            return errno == EAGAIN || errno == EWOULDBLOCK ? Sent::some : Sent::broken;
        }
        auto left = static_cast<std::size_t>(n);
        sent_.add(left);
        if (!out.empty()) {
            auto const of_out = std::min(left, out.size() - sent_from_);
            sent_from_ += of_out;
            left -= of_out;
            if (sent_from_ == out.size()) {
                out.clear();
                sent_from_ = 0;
                if (out.capacity() > kept_output) out = {};
            }
        }
        more.remove_prefix(left);
    }
    return Sent::all;
}

task<bool> Wire::flush(std::string_view more, Clock::duration progress) {
    auto waiting = out.size() - sent_from_ + more.size();
    for (bool first = true;; first = false) {
        auto const sent = send_now(more);
        if (sent != Sent::some) co_return sent == Sent::all;
        auto const left = out.size() - sent_from_ + more.size();
        if (first || left < waiting) enter(Phase::write, progress);
        waiting = left;
        boost::system::error_code error;
        co_await socket_.async_wait(TcpSocket::wait_write, asio::redirect_error(use_task, error));
        if (error) co_return false;
    }
}

task<> Wire::linger(Clock::duration limit) {
    bound_total(Clock::time_point::max());
    mend();
    enter(Phase::linger, limit);
    boost::system::error_code ignored;
    socket_.shutdown(TcpSocket::shutdown_send, ignored);
    std::size_t dropped = 0;
    while (dropped < max_lingered && cut_ == Cut::no) {
        co_await wait_readable();
        if (cut_ != Cut::no) break;
        auto const n = drop_input(fd());
        if (n == 0) break;
        dropped += n;
    }
}

bool Wire::left(short events) noexcept {
    if ((events & (POLLERR | POLLHUP)) != 0) return true;
    int unread = 0;
    return (events & POLLRDHUP) != 0 && ::ioctl(fd(), FIONREAD, &unread) == 0 && unread == 0;
}

}  // namespace buildplan::net
