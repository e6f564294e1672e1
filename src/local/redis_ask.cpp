#include "local/redis_ask.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>

#include "local/fd.hpp"

namespace buildplan::local {
namespace {

constexpr std::size_t longest_answer = 1 << 20;

Fd connect_to(RedisAddress const& address, std::chrono::milliseconds timeout) {
    bool const local = !address.socket.empty();
    Fd fd(::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    timeval const limit{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (local) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        auto const& path = address.socket.native();
        if (path.size() >= sizeof name.sun_path) return {};
        std::memcpy(name.sun_path, path.data(), path.size());
        if (::connect(fd.get(), reinterpret_cast<sockaddr const*>(&name), sizeof name) < 0) return {};
    } else {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(address.port);
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd.get(), reinterpret_cast<sockaddr const*>(&name), sizeof name) < 0) return {};
    }
    return fd;
}

// Whether `text` is a whole answer; then it is reduced to what the caller wants of it.
bool is_whole(std::string& text) {
    auto const line = text.find("\r\n");
    if (line == text.npos) return false;
    if (text[0] != '$') {
        text.resize(line);
        return true;
    }
    std::int64_t length = 0;
    std::from_chars(text.data() + 1, text.data() + line, length);
    if (length < 0) return text.clear(), true;
    auto const size = static_cast<std::size_t>(length);
    if (text.size() < line + 2 + size + 2) return false;
    text = text.substr(line + 2, size);
    return true;
}

}  // namespace

std::optional<std::string> ask_redis(RedisAddress const& address, std::string_view command,
                                     std::chrono::milliseconds timeout) {
    auto const fd = connect_to(address, timeout);
    if (!fd) return std::nullopt;
    auto const line = std::string(command) + "\r\n";
    if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
        return std::nullopt;
    std::string answer;
    char piece[4096];
    while (answer.size() < longest_answer) {
        auto const got = ::recv(fd.get(), piece, sizeof piece, 0);
        if (got <= 0) return std::nullopt;
        answer.append(piece, static_cast<std::size_t>(got));
        if (is_whole(answer)) return answer;
    }
    return std::nullopt;
}

}  // namespace buildplan::local
