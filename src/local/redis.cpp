#include "local/redis.hpp"

#include <fmt/core.h>

#include "local/files.hpp"
#include "local/leftovers.hpp"
#include "local/programs.hpp"
#include "local/socket_folder.hpp"

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;

constexpr auto orderly_stop = 20s;
constexpr std::uint64_t queue_memory = 1ULL << 30;
constexpr std::uint64_t cache_memory = 128ULL << 20;

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace

Redis::Redis(RedisOptions options)
    : Server(options.kind == RedisKind::queue ? "Redis (queue)" : "Redis (cache)", options.log),
      options_(std::move(options)),
      program_(find_redis(options_.program, options_.search_path)) {}

Redis::~Redis() {
    try {
        stop();
    } catch (std::exception const&) {
        forget();  // which kills it
    }
}

std::string Redis::configuration() const {
    std::string text;
    auto const set = [&](std::string_view name, std::string_view value) {
        text += fmt::format("{} {}\n", name, in_quotes(value));
    };
    bool const queue = options_.kind == RedisKind::queue;
    set("dir", ".");
    set("port", std::to_string(options_.port.value_or(0)));
    set("bind", "127.0.0.1");
    set("protected-mode", "yes");
    set("unixsocket", seen_from(options_.data, options_.socket).native());
    set("unixsocketperm", "700");
    if (!options_.password.empty()) set("requirepass", options_.password);
    set("daemonize", "no");
    set("logfile", "");
    set("always-show-logo", "no");
    auto const memory = options_.max_memory != 0 ? options_.max_memory : queue ? queue_memory : cache_memory;
    set("maxmemory", std::to_string(memory));
    set("maxmemory-policy", queue ? "noeviction" : "allkeys-lru");
    // The append-only file is the queue's one way to disk: no snapshots besides.
    text += "save \"\"\n";
    set("appendonly", queue ? "yes" : "no");
    set("appendfsync", options_.durable ? "everysec" : "no");
    set("aof-load-truncated", "yes");
    for (auto const& [name, value] : options_.settings) set(name, value);
    return text;
}

void Redis::clear_leftovers() const {
    for (auto const& process : running_in(options_.data, "redis-server")) {
        process.signal(SIGTERM);
        process.signal(SIGCONT);
        (void)process.ended_within(orderly_stop);
    }
    kill_running_in(options_.data, "redis-server");
}

void Redis::start(std::stop_token cancel) {
    if (child() && !ended_within(0ms)) return;
    forget();
    rotate_log();
    make_folder(options_.data, 0700, options_.user);
    clear_leftovers();
    ChildOptions server;
    server.command = {program_.native(), "-"};  // its configuration comes from standard input, so `ps` shows no secret
    // `ps` shows whose it is.
    if (options_.data.native().find_first_of("{}") == std::string::npos) {
        server.command.emplace_back("--proc-title-template");
        server.command.push_back(fmt::format("{{title}} {} {{listen-addr}}", options_.data.native()));
    }
    server.input = configuration();
    server.working_folder = options_.data;
    server.log = log();
    server.user = options_.user;
    server.death_signal = options_.durable ? SIGTERM : SIGKILL;
    launch(server);
    auto const answers = [this] {
        auto const answer = ask_redis(address(), "PING", 200ms);
        return answer && (*answer == "+PONG" || answer->starts_with("-NOAUTH"));
    };
    wait_until(answers, options_.start_timeout, cancel, options_.data);
}

void Redis::stop() {
    if (!child()) return;
    child()->terminate(options_.durable ? SIGTERM : SIGKILL, orderly_stop);
    forget();
    kill_running_in(options_.data, "redis-server");  // one that was writing a snapshot or rewriting its file
}

std::string Redis::tcp_url() const {
    return options_.password.empty()
               ? fmt::format("redis://127.0.0.1:{}", options_.port.value_or(0))
               : fmt::format("redis://:{}@127.0.0.1:{}", options_.password, options_.port.value_or(0));
}

}  // namespace buildplan::local
