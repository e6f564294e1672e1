#include "scripted_server.hpp"

#include <fmt/core.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <mutex>
#include <thread>

#include "core/problem.hpp"
#include "core/text.hpp"
#include "runtime/task.hpp"

namespace buildplan::test_support {

std::string SeenRequest::header(std::string_view name) const {
    for (std::size_t at = head.find('\n'); at != std::string::npos; at = head.find('\n', at + 1)) {
        auto const line = std::string_view(head).substr(at + 1, head.find('\r', at) - at - 1);
        auto const colon = line.find(':');
        if (colon != std::string_view::npos && ascii_iequals(line.substr(0, colon), name)) {
            return std::string(trim(line.substr(colon + 1)));
        }
    }
    return {};
}

std::string answer(int status, std::string_view body, std::string_view headers) {
    return fmt::format("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n{}\r\n{}", status, status_phrase(status), body.size(),
                       headers, body);
}

struct ScriptedServer::State {
    State(Script script_, std::string const& address)
        : script(std::move(script_)), acceptor(io, {asio::ip::make_address(address), 0}) {}

    task<> accept();
    task<> serve(TcpSocket socket, unsigned number);
    task<bool> read(TcpSocket& socket, std::string& input, SeenRequest& request);
    task<bool> carry_out(TcpSocket& socket, Step const& step);

    Script script;
    std::atomic<unsigned> connections{0}, open{0};
    std::atomic<std::uint64_t> written{0};
    mutable std::mutex mutex;
    std::vector<SeenRequest> seen;
    asio::io_context io{1};
    TcpAcceptor acceptor;
    std::thread thread;
};

task<> ScriptedServer::State::accept() {
    for (;;) {
        auto socket = co_await acceptor.async_accept(use_task);
        asio::co_spawn(io, serve(std::move(socket), ++connections), asio::detached);
    }
}

task<> ScriptedServer::State::serve(TcpSocket socket, unsigned number) {
    ++open;
    struct Leave {
        std::atomic<unsigned>& count;
        ~Leave() { --count; }
    } const leave{open};
    std::string input;
    for (;;) {
        SeenRequest request;
        request.connection = number;
        bool const whole = co_await read(socket, input, request);
        if (!whole) co_return;
        {
            std::lock_guard const lock(mutex);
            request.number = static_cast<unsigned>(seen.size()) + 1;
            seen.push_back(request);
        }
        auto const steps = script(request);
        for (auto const& step : steps) {
            bool const on = co_await carry_out(socket, step);
            if (!on) co_return;
        }
    }
}

task<bool> ScriptedServer::State::read(TcpSocket& socket, std::string& input, SeenRequest& request) {
    auto const until = [&](std::string_view mark) -> task<std::size_t> {
        return asio::async_read_until(socket, asio::dynamic_buffer(input), mark, use_task);
    };
    try {
        auto const head = co_await until("\r\n\r\n");
        request.head = input.substr(0, head);
        input.erase(0, head);
        auto const space = request.head.find(' ');
        request.method = request.head.substr(0, space);
        request.target = request.head.substr(space + 1, request.head.find(' ', space + 1) - space - 1);
        if (request.header("transfer-encoding") == "chunked") {
            for (std::size_t size = 1; size > 0;) {
                auto const line = co_await until("\r\n");
                size = std::stoul(input.substr(0, line), nullptr, 16);
                input.erase(0, line);
                if (input.size() < size + 2) {
                    co_await asio::async_read(socket, asio::dynamic_buffer(input),
                                              asio::transfer_exactly(size + 2 - input.size()), use_task);
                }
                request.body += input.substr(0, size);
                input.erase(0, size + 2);
            }
        } else if (auto const length = request.header("content-length"); !length.empty()) {
            auto const size = std::stoul(length);
            if (input.size() < size) {
                co_await asio::async_read(socket, asio::dynamic_buffer(input),
                                          asio::transfer_exactly(size - input.size()), use_task);
            }
            request.body = input.substr(0, size);
            input.erase(0, size);
        }
    } catch (boost::system::system_error const&) {
        co_return false;
    }
    co_return true;
}

task<bool> ScriptedServer::State::carry_out(TcpSocket& socket, Step const& step) {
    if (step.wait_ms > 0) {
        Timer timer(io, std::chrono::milliseconds{step.wait_ms});
        co_await timer.async_wait(use_task);
    }
    while (step.until && !*step.until) {
        Timer timer(io, std::chrono::milliseconds{1});
        co_await timer.async_wait(use_task);
    }
    do {
        if (step.bytes.empty()) break;
        auto const [error, count] =
            co_await asio::async_write(socket, asio::buffer(step.bytes), asio::as_tuple(use_task));
        written += count;
        if (error) co_return false;
    } while (step.then == Step::Then::forever);
    if (step.then == Step::Then::hang) {
        char byte = 0;
        co_await socket.async_read_some(asio::buffer(&byte, 1), asio::as_tuple(use_task));
    } else if (step.then == Step::Then::reset) {
        socket.set_option(asio::socket_base::linger(true, 0));
        socket.close();
    }
    co_return step.then == Step::Then::go_on;
}

ScriptedServer::ScriptedServer(Script script, std::string const& address)
    : state_(std::make_unique<State>(std::move(script), address)) {
    state_->acceptor.listen(4096);
    asio::co_spawn(state_->io, state_->accept(), asio::detached);
    state_->thread = std::thread([state = state_.get()] { state->io.run(); });
}

ScriptedServer::~ScriptedServer() {
    state_->io.stop();
    state_->thread.join();
}

std::uint16_t ScriptedServer::port() const noexcept { return state_->acceptor.local_endpoint().port(); }
std::string ScriptedServer::url(std::string_view path) const {
    return fmt::format("http://127.0.0.1:{}{}", port(), path);
}
unsigned ScriptedServer::connections() const { return state_->connections; }
unsigned ScriptedServer::open_connections() const { return state_->open; }
std::uint64_t ScriptedServer::written() const { return state_->written; }
std::vector<SeenRequest> ScriptedServer::seen() const {
    std::lock_guard const lock(state_->mutex);
    return state_->seen;
}

}  // namespace buildplan::test_support
