// The HTTP server alone, with a handler that does nothing: what the floor below the API costs, and how busy clients
// fare beside slow ones (bench/load/slow_clients.py).
//   http_server PORT [SHARDS]
#include <fmt/core.h>

#include <csignal>
#include <cstdlib>

#include "net/server.hpp"
#include "runtime/shards.hpp"

namespace {

using namespace buildplan;

task<net::Response> answer(net::Request& request) {
    if (request.path == "/echo") co_return net::Response(200, net::content_type::bytes, std::string(request.body));
    co_return net::Response(200, net::content_type::json, R"({"items":[],"nextCursor":null})");
}

}  // namespace

int main(int argc, char** argv) {
    auto const port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
    auto const count = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 0);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    LogSink sink(2, LogFormat::text, LogLevel::info);
    Shards shards(count, Log(sink));
    auto listeners = net::Listener::open("127.0.0.1", port, shards.size());
    fmt::print("listening on {}\n", listeners.front().port());
    std::fflush(stdout);
    std::vector<std::unique_ptr<net::Server>> servers;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        net::Hooks hooks;
        hooks.handler = answer;
        servers.push_back(
            std::make_unique<net::Server>(shards[i], std::move(listeners[i]), net::ServerSettings{}, std::move(hooks)));
        shards[i].post([&server = *servers.back()] { server.start(); });
    }
    shards.start();
    int signal = 0;
    ::sigwait(&signals, &signal);
    shards.on_each([&](Loop& loop) { return servers[loop.index()]->drain(std::chrono::seconds{2}); });
    shards.stop();
    auto const registries = shards.registries();
    fmt::print("{}", metrics::exposition(registries));
}
