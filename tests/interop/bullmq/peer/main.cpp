#include <unistd.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <cstdio>

#include "peer.hpp"

namespace buildplan::queue::bullmq::peer {
namespace {

task<> answer(Peer* peer, bj::object call) {
    bj::object line{{"call", call.at("call")}};
    try {
        auto const found = operations().find(call.at("do").as_string());
        if (found == operations().end()) throw std::invalid_argument("nobody knows how to do that");
        auto value = co_await found->second(*peer, call);
        line["value"] = std::move(value);
    } catch (Refused const& e) {
        line["error"] = e.what();
        line["code"] = static_cast<int>(e.why);
    } catch (std::exception const& e) {
        line["error"] = e.what();
    }
    say(line);
}

task<> serve(Peer* peer, std::string url) {
    peer->client = redis::Client::make(peer->loop, redis::Options::parse(url));
    if (!co_await peer->client->connected(std::chrono::seconds{5})) {
        say({{"error", "no connection to Redis"}});
        peer->loop.stop();
        co_return;
    }
    say({{"ready", true}});
    asio::posix::basic_stream_descriptor<Executor> input(peer->loop.executor(), ::dup(STDIN_FILENO));
    std::string buffer;
    try {
        for (;;) {
            auto const size = co_await asio::async_read_until(input, asio::dynamic_buffer(buffer), '\n', use_task);
            auto call = bj::parse(std::string_view(buffer).substr(0, size)).as_object();
            buffer.erase(0, size);
            peer->loop.spawn("call", answer(peer, std::move(call)));
        }
    } catch (boost::system::system_error const&) {
        // The test has closed our input: that is all.
    }
    for (auto const& [number, worker] : peer->workers) co_await worker->stop(Millis{0});
    co_await peer->client->close();
    peer->loop.stop();
}

}  // namespace

void say(bj::object const& line) {
    auto text = bj::serialize(line);
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

}  // namespace buildplan::queue::bullmq::peer

int main(int argc, char** argv) {
    using namespace buildplan;
    if (argc != 2) return 2;
    LogSink sink(STDERR_FILENO, LogFormat::text, LogLevel::warning);
    Loop loop(0, Log(sink));
    queue::bullmq::peer::Peer peer{.loop = loop, .client = {}, .workers = {}};
    loop.spawn("peer", queue::bullmq::peer::serve(&peer, argv[1]));
    loop.run();
    std::_Exit(0);  // what is still waiting has nobody to wait for
}
