#include "wire_proxy.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <list>
#include <optional>
#include <stdexcept>
#include <vector>

namespace buildplan::test_support {
namespace {

int unix_socket(std::filesystem::path const& path, bool listening) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto const* const at = reinterpret_cast<sockaddr const*>(&address);  // NOLINT: the socket interface
    int const failed = listening ? ::bind(fd, at, sizeof address) : ::connect(fd, at, sizeof address);
    if (failed != 0 || (listening && ::listen(fd, 64) != 0)) {
        ::close(fd);
        throw std::runtime_error(fmt::format("{}: {}", path.string(), std::strerror(errno)));
    }
    return fd;
}

struct Pair {
    int client;
    int server;
    bool client_spoke_last = false;
    bool cut = false;
    // An answer is held for a moment, so that what a client sends at once, in however many pieces, is there before it
    // and counts as one trip, as it would be over a longer wire.
    std::optional<std::chrono::steady_clock::time_point> held_since{};
};

constexpr auto hold = std::chrono::milliseconds{2};

bool pass(int from, int to) {
    std::array<char, 65536> buffer{};
    auto const count = ::recv(from, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    for (ssize_t sent = 0; sent < count;) {
        auto const more = ::send(to, buffer.data() + sent, static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
        if (more <= 0) return false;
        sent += more;
    }
    return true;
}

}  // namespace

WireProxy::WireProxy(std::filesystem::path folder, std::filesystem::path server_socket)
    : folder_(std::move(folder)),
      server_socket_(std::move(server_socket)),
      listener_(unix_socket(folder_ / ".s.PGSQL.5432", true)),
      thread_([this] { serve(); }) {}

WireProxy::~WireProxy() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
}

std::string WireProxy::url(std::string_view role, std::string_view database) const {
    return fmt::format("host={} port=5432 user={} dbname={}", folder_.string(), role, database);
}

void WireProxy::serve() {
    std::list<Pair> pairs;
    while (!stopping_) {
        std::vector<pollfd> watched{{listener_, POLLIN, 0}};
        if (!stalled_) {
            for (auto const& pair : pairs) {
                watched.push_back({pair.client, POLLIN, 0});
                watched.push_back({pair.server, POLLIN, 0});
            }
        }
        if (::poll(watched.data(), watched.size(), 5) <= 0) continue;
        if ((watched[0].revents & POLLIN) != 0) {
            pairs.push_front(
                {::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), unix_socket(server_socket_, false)});
            ++connections_;
            continue;
        }
        std::size_t at = 1;
        for (auto pair = pairs.begin(); pair != pairs.end() && at + 1 < watched.size(); at += 2) {
            bool alive = true;
            if (watched[at].revents != 0) {
                if (!std::exchange(pair->client_spoke_last, true)) ++round_trips_;
                if (cut_.exchange(false)) pair->cut = true;
                alive = pass(pair->client, pair->server);
            }
            if (alive && watched[at + 1].revents != 0) {
                auto const now = std::chrono::steady_clock::now();
                if (!pair->held_since) pair->held_since = now;
                if (now - *pair->held_since >= hold) {
                    pair->held_since.reset();
                    pair->client_spoke_last = false;
                    alive = !pair->cut && pass(pair->server, pair->client);
                }
            }
            if (alive) {
                ++pair;
            } else {
                ::close(pair->client);
                ::close(pair->server);
                pair = pairs.erase(pair);
            }
        }
    }
    for (auto const& pair : pairs) {
        ::close(pair.client);
        ::close(pair.server);
    }
}

}  // namespace buildplan::test_support
