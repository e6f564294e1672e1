// Listener: a listening TCP socket. `open` makes one for each shard, all on one address and port (SO_REUSEPORT: the
// kernel spreads the connections), and makes sure that nobody else listens there, another process of the same user
// included. Throws OperatorError when the address cannot be had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace buildplan::net {

class Listener {
public:
    // `address` is a numeric IPv4 or IPv6 address; "::" also takes IPv4. Port 0 lets the kernel choose, one for all.
    static std::vector<Listener> open(std::string const& address, std::uint16_t port, std::size_t count);

    Listener(Listener&& other) noexcept : fd_(std::exchange(other.fd_, -1)), port_(other.port_), v6_(other.v6_) {}
    Listener& operator=(Listener&& other) noexcept {
        std::swap(fd_, other.fd_);
        port_ = other.port_;
        v6_ = other.v6_;
        return *this;
    }
    ~Listener();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool v6() const noexcept { return v6_; }
    // Gives the descriptor away.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

private:
    Listener(int fd, std::uint16_t port, bool v6) : fd_(fd), port_(port), v6_(v6) {}

    int fd_;
    std::uint16_t port_;
    bool v6_;
};

}  // namespace buildplan::net
