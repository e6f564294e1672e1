// Real PostgreSQL and Redis for tests. The ones that postgres() and redis() return start at first use, serve the whole
// test program and go when it ends, also when it crashes; they are on unix sockets in a folder of their own under
// $TMPDIR. Tests that kill or stop a server start one of their own with the start_ functions. Nothing is written
// through to disk (fsync off), but an answered write survives kill9(). All of this belongs to the main thread of the
// test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "local/postgres.hpp"
#include "local/redis.hpp"

namespace buildplan::test_support {

// A folder of this test program, removed at its end (and by the next program when this one crashed).
std::filesystem::path make_temporary_folder(std::string_view purpose);

// A port on 127.0.0.1 that nobody used a moment ago.
std::uint16_t free_port();

class PostgresServer {
public:
    explicit PostgresServer(local::PostgresOptions options);

    // For libpq. Whoever reaches the socket may be any role (`trust`): "postgres" is the superuser, and
    // buildplan_owner, buildplan_app, buildplan_system and the database buildplan are there.
    [[nodiscard]] std::string url(std::string_view role = local::superuser_role,
                                  std::string_view database = local::database_name) const {
        return server_.url(role, database);
    }
    [[nodiscard]] std::string tcp_url(std::string_view role, std::string_view database = local::database_name) const {
        return server_.tcp_url(role, database);
    }
    [[nodiscard]] std::filesystem::path const& socket_folder() const { return server_.options().sockets; }
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] local::Postgres& server() { return server_; }

    void run_sql(std::string_view sql, std::string_view database = local::database_name);  // through psql, as superuser
    // A new database of buildplan_owner; its name.
    std::string make_database(std::string_view name);

    void kill9();    // every process of it at once, and waits until they are gone
    void restart();  // starts it again, after kill9() or stop(), or restarts it in order
    void stop();
    void pause();  // SIGSTOP for every process of it
    void resume();

private:
    local::Postgres server_;
};

class RedisServer {
public:
    explicit RedisServer(local::RedisOptions options);

    [[nodiscard]] std::filesystem::path const& socket() const { return server_.options().socket; }
    [[nodiscard]] std::uint16_t port() const { return server_.options().port.value_or(0); }
    [[nodiscard]] std::string url() const { return server_.url(); }  // unix:/path
    [[nodiscard]] local::Redis& server() { return server_; }
    [[nodiscard]] local::Redis const& server() const { return server_; }
    // One inline command and its answer; throws when there is none.
    [[nodiscard]] std::string ask(std::string_view command) const;

    void kill9();
    void restart();
    void stop();
    void pause();
    void resume();

private:
    local::Redis server_;
};

// A Redis Cluster on 127.0.0.1: the masters first, then their replicas, master by master.
struct RedisCluster {
    std::vector<std::unique_ptr<RedisServer>> nodes;
    int masters = 0;

    [[nodiscard]] std::vector<std::uint16_t> ports() const;
};

PostgresServer& postgres();
RedisServer& redis();

struct PostgresWishes {
    bool tcp = false;
    std::map<std::string, std::string> settings;
};
struct RedisWishes {
    local::RedisKind kind = local::RedisKind::queue;
    bool tcp = false;
    std::vector<std::pair<std::string, std::string>> settings;
};
std::unique_ptr<PostgresServer> start_postgres(PostgresWishes const& wishes = {});
std::unique_ptr<RedisServer> start_redis(RedisWishes const& wishes = {});
// Node time-out 1 s: a killed master is replaced by its replica in about 2 s.
RedisCluster start_redis_cluster(int masters = 3, int replicas_each = 1);

}  // namespace buildplan::test_support
