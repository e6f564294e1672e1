// For the tests of this floor: a server on a loop of its own thread, and a client that speaks bytes, not HTTP, so that
// it can say what no decent client would.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>

#include "core/text.hpp"
#include "net/server.hpp"
#include "runtime/shards.hpp"

namespace buildplan::net::testing {

using namespace std::chrono_literals;

inline task<Response> hello(Request& request) {
    co_return Response(200, content_type::text, "hello " + std::string(request.path));
}
inline task<Response> echo(Request& request) {
    co_return Response(200, content_type::bytes, std::string(request.body));
}

class TestServer {
public:
    explicit TestServer(Hooks hooks, ServerSettings settings = {}, Log const& log = {}) : shards_(1, log) {
        auto listeners = Listener::open("127.0.0.1", 0, 1);
        port_ = listeners.front().port();
        server_ =
            std::make_unique<Server>(shards_[0], std::move(listeners.front()), std::move(settings), std::move(hooks));
        shards_.start();
        on_loop([this] { server_->start(); });
    }
    explicit TestServer(Handler handler, ServerSettings settings = {})
        : TestServer(with(std::move(handler)), std::move(settings)) {}
    ~TestServer() {
        drain(100ms);
        shards_.stop();
    }
    TestServer(TestServer const&) = delete;
    TestServer& operator=(TestServer const&) = delete;

    static Hooks with(Handler handler) {
        Hooks hooks;
        hooks.handler = std::move(handler);
        return hooks;
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    Loop& loop() { return shards_[0]; }
    void drain(std::chrono::steady_clock::duration grace) {
        shards_.on_each([&](Loop&) { return server_->drain(grace); });
    }
    std::future<void> start_drain(std::chrono::steady_clock::duration grace) {
        return std::async(std::launch::async, [this, grace] { drain(grace); });
    }
    template <class Work>
    void on_loop(Work work) {
        std::promise<void> done;
        shards_[0].post([&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }
    [[nodiscard]] std::size_t connections() {
        std::size_t count = 0;
        on_loop([&] { count = server_->connections(); });
        return count;
    }
    // A metric's line in the exposition, e.g. `buildplan_http_connections_cut_total{reason="head"}`.
    double metric(std::string const& line) {
        auto const registries = shards_.registries();
        auto const text = metrics::exposition(registries);
        auto const at = text.find("\n" + line + " ");
        return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
    }

private:
    Shards shards_;
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;
};

struct Answer {
    int status = 0;
    std::string head, body;
    // In lower case; several of a name joined by ", ".
    std::map<std::string, std::string, std::less<>> headers;
    bool chunk_end = false;  // a chunked body had its end

    [[nodiscard]] std::string header(std::string_view name) const {
        auto const found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

class Client {
public:
    explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            ADD_FAILURE() << "cannot connect";
        int const on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    explicit Client(TestServer const& server) : Client(server.port()) {}
    ~Client() { close(); }
    Client(Client const&) = delete;
    Client& operator=(Client const&) = delete;

    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    // Closes with a reset.
    void abort() {
        linger const now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }
    void shut_sending() const { ::shutdown(fd_, SHUT_WR); }
    [[nodiscard]] int fd() const noexcept { return fd_; }

    // False when the connection is broken.
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            auto const n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    // More bytes into `buffer_`; false at the end, or when nothing comes for `wait`.
    bool more(std::chrono::milliseconds wait = 10s) {
        pollfd polled{fd_, POLLIN, 0};
        if (::poll(&polled, 1, static_cast<int>(wait.count())) <= 0) {
            silent_ = true;
            return false;
        }
        char bytes[16 * 1024];
        auto const n = ::recv(fd_, bytes, sizeof bytes, 0);
        if (n <= 0) {
            ended_ = true;
            return false;
        }
        buffer_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }
    // Until there are `n` bytes unread.
    std::string take(std::size_t n) {
        while (buffer_.size() < n && more()) {
        }
        auto const taken = buffer_.substr(0, n);
        buffer_.erase(0, taken.size());
        return taken;
    }
    // Everything until the end of the connection.
    std::string rest() {
        while (more()) {
        }
        return std::exchange(buffer_, {});
    }
    // Whether the server has closed, without a further byte.
    bool closed(std::chrono::milliseconds wait = 10s) {
        bool const got = buffer_.empty() ? more(wait) : true;
        return !got && ended_;
    }
    // Whether the connection is open and says nothing.
    bool quiet(std::chrono::milliseconds wait) {
        ended_ = silent_ = false;
        return buffer_.empty() && !more(wait) && silent_;
    }

    Answer answer(bool head_only = false) {
        Answer answer;
        std::size_t end = 0;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            if (!more()) return answer;
        }
        answer.head = take(end + 4);
        answer.status = std::stoi(answer.head.substr(9, 3));
        std::string_view lines = answer.head;
        lines.remove_prefix(lines.find("\r\n") + 2);
        while (lines.size() > 2) {
            auto const line = lines.substr(0, lines.find("\r\n"));
            lines.remove_prefix(line.size() + 2);
            auto const colon = line.find(": ");
            auto& value = answer.headers[ascii_lower(line.substr(0, colon))];
            if (!value.empty()) value += ", ";
            value += line.substr(colon + 2);
        }
        if (head_only || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
        if (answer.header("transfer-encoding") == "chunked") {
            read_chunks(answer);
        } else if (answer.headers.contains("content-length")) {
            answer.body = take(std::stoul(answer.header("content-length")));
        } else {
            answer.body = rest();
        }
        return answer;
    }
    Answer ask(std::string_view request, bool head_only = false) {
        if (!send(request)) return {};
        return answer(head_only);
    }
    std::string& buffered() { return buffer_; }

private:
    void read_chunks(Answer& answer) {
        for (;;) {
            std::size_t end = 0;
            while ((end = buffer_.find("\r\n")) == std::string::npos) {
                if (!more()) return;
            }
            auto const size = std::stoul(take(end + 2), nullptr, 16);
            auto const piece = take(size + 2);
            if (piece.size() < size + 2) return;
            if (size == 0) {
                answer.chunk_end = true;
                return;
            }
            answer.body.append(piece, 0, size);
        }
    }

    int fd_;
    bool ended_ = false, silent_ = false;
    std::string buffer_;
};

inline std::string get(std::string_view path, std::string_view headers = {}) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a.example\r\n" + std::string(headers) + "\r\n";
}

}  // namespace buildplan::net::testing
