// For the tests of this folder: runs a coroutine on a loop of its own, and several at once.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <functional>

#include "redis/client.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::redis {

using namespace std::chrono_literals;

// Runs one coroutine to its end. One that hangs fails.
template <class Make>
void run(Make make) {
    Loop loop(0, Log{});
    std::exception_ptr failure;
    bool done = false;
    asio::co_spawn(loop.io(), make(loop), [&](std::exception_ptr error) {
        failure = std::move(error);
        done = true;
        loop.stop();
    });
    Timer watchdog(loop.executor(), 30s);
    watchdog.async_wait([&](boost::system::error_code error) {
        if (!error) loop.stop();
    });
    loop.run();
    if (failure) std::rethrow_exception(failure);
    if (!done) throw std::runtime_error("the test hangs");
}

inline task<> pass_through(task<> work, Gate::Pass pass) {
    co_await std::move(work);
    auto const left = std::move(pass);
}

// All of them at once; returns when the last is done.
inline task<> together(Loop& loop, std::vector<task<>> works) {
    Gate gate;
    for (auto& work : works) loop.spawn("test", pass_through(std::move(work), gate.enter()));
    co_await gate.close();
}

inline task<> wait_until(std::function<bool()> condition, char const* what) {
    auto const until = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) {
            ADD_FAILURE() << what;  // said before what else is running is torn down
            throw std::runtime_error(what);
        }
        co_await sleep_for(1ms);
    }
}

inline double milliseconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

// A client of the server that all tests share, connected.
inline task<std::unique_ptr<Client>> connect(Loop& loop, std::string url, std::string name = "test") {
    auto options = Options::parse(url);
    options.name = std::move(name);
    auto client = Client::make(loop, options);
    if (!co_await client->connected(5s)) throw std::runtime_error("no connection to Redis");
    co_return client;
}

// What a command comes to, as text: its reply, "timeout", "unavailable" or the error's code.
inline task<std::string> outcome(Client& client, Command command) {
    try {
        auto const reply = co_await client.command(std::move(command));
        co_return reply.is_nil()               ? "nil"
        : reply.kind() == Value::Kind::integer ? std::to_string(reply.as_integer())
                                               : std::string(reply.as_text());
    } catch (Timeout const&) {
        co_return "timeout";
    } catch (Unavailable const& e) {
        co_return e.sent == Unavailable::Sent::no ? "refused" : "lost";
    } catch (ReplyError const& e) {
        co_return e.code;
    }
}

template <class... Args>
task<std::string> outcome(Client& client, std::string_view name, Args const&... args) {
    return outcome(client, Command(name, args...));
}
template <class... Args>
task<std::string> outcome_within(std::chrono::milliseconds patience, Client& client, std::string_view name,
                                 Args const&... args) {
    return outcome(client, Command(name, args...).within(patience));
}

// Keeps the server itself busy.
inline Script const& busy() {
    static Script const script(
        "local t = redis.call('TIME'); local begin = t[1] * 1000000 + t[2]\n"
        "repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > begin + ARGV[1] * 1000\n"
        "return ARGV[2]");
    return script;
}

inline task<> note(Client& client, Command command, std::vector<std::string>& outcomes) {
    auto what = co_await outcome(client, std::move(command));
    outcomes.push_back(std::move(what));
}

}  // namespace buildplan::redis
