#include "local/redis.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "local/files.hpp"
#include "local/leftovers.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;

TEST(RedisServer, QueueKeepsWhatItWasGivenThroughAKill) {
    auto const redis = test_support::start_redis();
    EXPECT_EQ(redis->ask("SET a 1"), "+OK");
    redis->kill9();
    EXPECT_FALSE(ask_redis(redis->server().address(), "PING"));
    redis->restart();
    EXPECT_EQ(redis->ask("GET a"), "1");
    EXPECT_TRUE(redis->ask("INFO memory").contains("maxmemory_policy:noeviction"));
    EXPECT_TRUE(redis->ask("INFO persistence").contains("aof_enabled:1"));
}

TEST(RedisServer, FileCutShortByACrashIsLoadedUpToTheCut) {
    auto const redis = test_support::start_redis();
    EXPECT_EQ(redis->ask("SET kept 1"), "+OK");
    redis->kill9();
    std::filesystem::path file;
    for (auto const& entry : std::filesystem::directory_iterator(redis->server().options().data / "appendonlydir"))
        if (entry.path().native().ends_with(".incr.aof")) file = entry.path();
    std::ofstream(file, std::ios::app) << "*3\r\n$3\r\nSET\r\n$4\r\nlost\r\n$100\r\nhal";
    redis->restart();
    EXPECT_EQ(redis->ask("GET kept"), "1");
    EXPECT_EQ(redis->ask("EXISTS lost"), ":0");
}

TEST(RedisServer, CacheIsBoundedAndForgets) {
    test_support::RedisWishes wishes;
    wishes.kind = RedisKind::cache;
    auto const redis = test_support::start_redis(wishes);
    EXPECT_TRUE(redis->ask("INFO memory").contains("maxmemory_policy:allkeys-lru"));
    EXPECT_TRUE(redis->ask("INFO memory").contains("maxmemory:134217728"));
    EXPECT_EQ(redis->ask("SET a 1"), "+OK");
    redis->restart();
    EXPECT_EQ(redis->ask("EXISTS a"), ":0");
    for (auto const& entry : std::filesystem::directory_iterator(redis->server().options().data))
        ADD_FAILURE() << entry.path() << " on disk";
}

TEST(RedisServer, StopsInOrder) {
    auto options = test_support::start_redis()->server().options();
    options.durable = true;
    make_folder(options.data.parent_path(), 0711);
    Redis redis(options);
    redis.start();
    EXPECT_EQ(ask_redis(redis.address(), "SET a 1"), "+OK");
    redis.stop();
    EXPECT_EQ(redis.pid(), 0);
    EXPECT_TRUE(read_from(options.log, 0, 100'000).contains("ready to exit, bye bye"));
    redis.start();
    EXPECT_EQ(ask_redis(redis.address(), "GET a"), "1");
}

TEST(RedisServer, TcpAsksForThePassword) {
    auto const folder = test_support::make_temporary_folder("password");
    std::filesystem::permissions(folder, std::filesystem::perms(0711));
    make_folder(folder / "sockets", 0700, server_user());
    RedisOptions options;
    options.data = folder / "data";
    options.log = folder / "redis.log";
    options.socket = folder / "sockets" / "redis.sock";
    options.durable = false;
    options.port = test_support::free_port();
    options.password = "se\"cr\\et";
    Redis redis(options);
    redis.start();
    RedisAddress const tcp{{}, *options.port};
    EXPECT_TRUE(ask_redis(tcp, "PING").value_or("").starts_with("-NOAUTH"));
    EXPECT_EQ(ask_redis(tcp, R"(AUTH "se\"cr\\et")"), "+OK");
    auto const command_line = read_file(fmt::format("/proc/{}/cmdline", redis.pid()), 4096).value_or("");
    EXPECT_TRUE(command_line.contains(options.data.native())) << command_line;
    EXPECT_FALSE(command_line.contains("cr\\et"));
}

TEST(RedisServer, ServerThatSurvivedItsStarterIsReplaced) {
    auto const redis = test_support::start_redis();
    auto const options = redis->server().options();
    redis->stop();
    test_support::Forked earlier([&] {
        ChildOptions child;
        child.command = {"/usr/bin/redis-server", "-"};
        child.input = fmt::format("port 0\nunixsocket {}\nsave \"\"\n", options.socket.native());
        child.working_folder = options.data;
        child.log = options.log;
        child.user = options.user;
        child.death_signal = 0;
        static ChildProcess orphan(child);
        while (ask_redis(RedisAddress{options.socket, 0}, "PING") != "+PONG") std::this_thread::sleep_for(1ms);
    });
    ASSERT_TRUE(earlier.done());
    earlier.kill9();
    auto const orphans = running_in(options.data, "redis-server");
    ASSERT_EQ(orphans.size(), 1U);
    redis->restart();
    EXPECT_TRUE(orphans[0].ended_within(0ms));
    EXPECT_EQ(redis->ask("PING"), "+PONG");
}

TEST(RedisServer, MissingProgramNamesThePackage) {
    try {
        find_redis({}, "/nowhere:relative:");
        FAIL() << "found";
    } catch (OperatorError const& error) {
        EXPECT_STREQ(error.what(), "redis-server is not installed: run script/setup, or apt-get install redis-server");
    }
}

TEST(RedisServer, PausedOneIsSilentUntilResumed) {
    auto const redis = test_support::start_redis();
    redis->pause();
    EXPECT_FALSE(ask_redis(redis->server().address(), "PING", 30ms));
    redis->resume();
    EXPECT_EQ(redis->ask("PING"), "+PONG");
}

TEST(RedisServer, ClusterOfSixServesAllSlots) {
    auto const cluster = test_support::start_redis_cluster();
    ASSERT_EQ(cluster.ports().size(), 6U);
    for (auto const& node : cluster.nodes) {
        auto const info = node->ask("CLUSTER INFO");
        EXPECT_TRUE(info.contains("cluster_slots_ok:16384")) << info;
        EXPECT_TRUE(info.contains("cluster_size:3")) << info;
    }
    EXPECT_TRUE(cluster.nodes[0]->ask("INFO replication").contains("connected_slaves:1"));
}

}  // namespace
}  // namespace buildplan::local
