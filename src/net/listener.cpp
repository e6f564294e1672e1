#include "net/listener.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/operator_error.hpp"

namespace buildplan::net {
namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
    [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] bool v6() const noexcept { return storage.ss_family == AF_INET6; }
    [[nodiscard]] std::uint16_t port() const noexcept {
        return ntohs(v6() ? reinterpret_cast<sockaddr_in6 const*>(&storage)->sin6_port
                          : reinterpret_cast<sockaddr_in const*>(&storage)->sin_port);
    }
    void set_port(std::uint16_t port) noexcept {
        if (v6()) {
            reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
        } else {
            reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
        }
    }
};

SocketAddress numeric(std::string const& text) {
    SocketAddress address;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        address.length = sizeof *v4;
    } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        address.length = sizeof *v6;
    } else {
        throw OperatorError(fmt::format("\"{}\" is no address to listen on", text),
                            "give a numeric one, such as 127.0.0.1, 0.0.0.0 or ::");
    }
    return address;
}

void set(int fd, int level, int option, int value) {
    if (::setsockopt(fd, level, option, &value, sizeof value) != 0) {
        throw std::system_error(errno, std::generic_category(), "setsockopt");
    }
}

// Accepted sockets inherit these, which saves the system calls for each of them (tcp(7)).
void set_for_accepted(int fd) {
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

[[noreturn]] void refuse(std::string const& address, std::uint16_t port, int error) {
    auto const where = fmt::format("{}:{}", address, port);
    switch (error) {
        case EADDRINUSE:
            throw OperatorError(fmt::format("Another program listens on {}", where),
                                "stop it, or choose another port with --port");
        case EACCES:
            throw OperatorError(fmt::format("This user may not listen on {}", where), "choose a port from 1024 up");
        case EADDRNOTAVAIL:
            throw OperatorError(fmt::format("This machine has no address {}", address),
                                "choose one of its own, 0.0.0.0 or ::");
        case EAFNOSUPPORT:
            throw OperatorError(fmt::format("This machine has no IPv{} ({})", address.contains(':') ? 6 : 4, address),
                                "listen on an address of the other kind");
        default:
            throw OperatorError(fmt::format("Cannot listen on {} ({})", where, std::generic_category().message(error)),
                                "choose another address or port");
    }
}

}  // namespace

std::vector<Listener> Listener::open(std::string const& address_text, std::uint16_t port, std::size_t count) {
    auto address = numeric(address_text);
    address.set_port(port);
    std::vector<Listener> listeners;
    for (std::size_t i = 0; i < count; ++i) {
        int const fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) refuse(address_text, port, errno);
        listeners.push_back(Listener(fd, port, address.v6()));
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        set_for_accepted(fd);
        if (address.v6()) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
        // The first binds without SO_REUSEPORT: that fails where anybody listens already, even a process of this user
        // that would share the port. It allows the sharing afterwards.
        if (i > 0) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        if (::bind(fd, address.get(), address.length) != 0) refuse(address_text, port, errno);
        if (i == 0) {
            set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
            if (::getsockname(fd, address.get(), &address.length) != 0) refuse(address_text, port, errno);
        }
        listeners.back().port_ = address.port();
    }
    for (auto const& listener : listeners) {
        if (::listen(listener.fd_, 4096) != 0) refuse(address_text, address.port(), errno);
    }
    return listeners;
}

Listener::~Listener() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace buildplan::net
