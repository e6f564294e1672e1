#include "servers.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <stdexcept>

#include "local/child_process.hpp"
#include "local/files.hpp"
#include "local/leftovers.hpp"
#include "local/programs.hpp"
#include "local/socket_folder.hpp"

namespace buildplan::test_support {
namespace {

using namespace std::chrono_literals;

void signal_all(std::filesystem::path const& folder, std::string_view program, int number) {
    for (auto const& process : local::running_in(folder, program)) process.signal(number);
}

// The main process first, so that it cannot replace the others.
void kill_all(local::Server& server, std::filesystem::path const& folder, std::string_view program) {
    if (auto const pid = server.pid(); pid != 0) ::kill(pid, SIGKILL);
    local::kill_running_in(folder, program);
    if (!server.ended_within(10s)) throw std::runtime_error("it does not die");
}

std::filesystem::path sockets_in(std::filesystem::path const& folder) {
    return local::make_socket_folder(folder / "sockets", local::server_user());
}

}  // namespace

std::uint16_t free_port() {
    local::Fd const fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    if (::bind(fd.get(), reinterpret_cast<sockaddr const*>(&name), size) < 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) < 0)
        throw std::runtime_error("no free port");
    return ntohs(name.sin_port);
}

PostgresServer::PostgresServer(local::PostgresOptions options) : server_(std::move(options)) { server_.start(); }

void PostgresServer::run_sql(std::string_view sql, std::string_view database) {
    auto const log = server_.options().log.parent_path() / "psql.log";
    auto const start = local::size_or_zero(log);
    local::ChildOptions psql;
    psql.command = {(local::find_postgres() / "psql").native(), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
                    url(local::superuser_role, database)};
    psql.input = std::string(sql) + "\n";
    psql.log = log;
    if (!local::run_program(psql, 60s).success()) throw std::runtime_error(local::read_from(log, start, 4096));
}

std::string PostgresServer::make_database(std::string_view name) {
    run_sql(fmt::format("CREATE DATABASE \"{}\" OWNER {}", name, local::owner_role), "postgres");
    return std::string(name);
}

void PostgresServer::kill9() { kill_all(server_, server_.options().data, "postgres"); }
void PostgresServer::restart() {
    server_.stop();
    server_.start();
}
void PostgresServer::stop() { server_.stop(); }
void PostgresServer::pause() { signal_all(server_.options().data, "postgres", SIGSTOP); }
void PostgresServer::resume() { signal_all(server_.options().data, "postgres", SIGCONT); }

RedisServer::RedisServer(local::RedisOptions options) : server_(std::move(options)) { server_.start(); }

std::string RedisServer::ask(std::string_view command) const {
    if (auto answer = local::ask_redis(server_.address(), command)) return *answer;
    throw std::runtime_error(fmt::format("Redis does not answer to {}", command));
}

void RedisServer::kill9() { kill_all(server_, server_.options().data, "redis-server"); }
void RedisServer::restart() {
    server_.stop();
    server_.start();
}
void RedisServer::stop() { server_.stop(); }
void RedisServer::pause() { signal_all(server_.options().data, "redis-server", SIGSTOP); }
void RedisServer::resume() { signal_all(server_.options().data, "redis-server", SIGCONT); }

PostgresServer& postgres() {
    static auto const server = start_postgres();
    return *server;
}

RedisServer& redis() {
    static auto const server = start_redis();
    return *server;
}

std::unique_ptr<PostgresServer> start_postgres(PostgresWishes const& wishes) {
    auto const folder = make_temporary_folder("postgres");
    local::PostgresOptions options;
    options.data = folder / "data";
    options.log = folder / "postgres.log";
    options.sockets = sockets_in(folder);
    options.durable = false;
    options.trust = true;
    options.settings = wishes.settings;
    if (wishes.tcp) {
        options.tcp_port = free_port();
        options.password = "for-tests";
    }
    std::filesystem::permissions(folder, std::filesystem::perms(0711));
    return std::make_unique<PostgresServer>(std::move(options));
}

std::unique_ptr<RedisServer> start_redis(RedisWishes const& wishes) {
    auto const folder = make_temporary_folder("redis");
    std::filesystem::permissions(folder, std::filesystem::perms(0711));
    local::RedisOptions options;
    options.kind = wishes.kind;
    options.data = folder / "data";
    options.log = folder / "redis.log";
    options.socket = sockets_in(folder) / "redis.sock";
    options.durable = false;
    options.settings = wishes.settings;
    if (wishes.tcp) options.port = free_port();
    return std::make_unique<RedisServer>(std::move(options));
}

}  // namespace buildplan::test_support
