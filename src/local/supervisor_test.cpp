#include "local/supervisor.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <csignal>

#include "local/data_folder.hpp"
#include "local/files.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;

// What the supervisor said, to be waited for.
class Heard {
public:
    void operator()(Incident const& incident) {
        std::lock_guard const lock(mutex_);
        incidents_.push_back({std::string(incident.server), incident.restarted, incident.line});
        changed_.notify_all();
    }
    struct Copy {
        std::string server;
        bool restarted;
        std::string line;
    };
    Copy wait_for(std::size_t index) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, 20s, [&] { return incidents_.size() > index; }))
            return {"nothing", false, "nothing"};
        return incidents_[index];
    }
    std::size_t count() {
        std::lock_guard const lock(mutex_);
        return incidents_.size();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Copy> incidents_;
};

class SupervisorTest : public testing::Test {
protected:
    std::filesystem::path above_ = test_support::make_temporary_folder("supervisor");
    DataFolder folder_{above_ / ".buildplan"};
    Heard heard_;
};

TEST_F(SupervisorTest, WholeSetStartsComesBackAndStops) {
    auto options = folder_.postgres();
    options.settings["fsync"] = "off";
    auto quick = options;
    quick.durable = false;
    Postgres(quick).initialise();  // made without waiting for the disk, then run as `up` does
    Postgres postgres(options);
    Redis queue(folder_.redis(RedisKind::queue));
    Redis cache(folder_.redis(RedisKind::cache));
    Supervisor supervisor({&postgres, &queue, &cache}, std::ref(heard_));
    supervisor.start();
    EXPECT_EQ(ask_redis(queue.address(), "PING"), "+PONG");

    std::size_t expected = 0;
    for (Server* const server :
         {static_cast<Server*>(&postgres), static_cast<Server*>(&queue), static_cast<Server*>(&cache)}) {
        auto const pid = server->pid();
        auto const begin = std::chrono::steady_clock::now();
        ASSERT_EQ(::kill(pid, SIGKILL), 0);
        auto const incident = heard_.wait_for(expected++);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
        EXPECT_EQ(incident.server, server->name());
        EXPECT_TRUE(incident.restarted);
        EXPECT_TRUE(incident.line.starts_with(std::string(server->name()) + " died (signal 9); restarted in "))
            << incident.line;
        EXPECT_NE(server->pid(), pid);
    }
    supervisor.stop();
    for (Server const* const server :
         {static_cast<Server*>(&postgres), static_cast<Server*>(&queue), static_cast<Server*>(&cache)})
        EXPECT_EQ(server->pid(), 0);
    EXPECT_TRUE(read_from(folder_.log("postgres"), 0, 100'000).contains("database system is shut down"));
    EXPECT_EQ(heard_.count(), expected);
}

TEST_F(SupervisorTest, OneThatCannotStartStopsTheOthersAndSaysWhy) {
    Redis queue(folder_.redis(RedisKind::queue));
    auto broken = folder_.redis(RedisKind::cache);
    broken.settings.emplace_back("maxmemory-policy", "nonsense");
    Redis cache(broken);
    Supervisor supervisor({&queue, &cache}, std::ref(heard_));
    try {
        supervisor.start();
        FAIL() << "it started";
    } catch (OperatorError const& error) {
        EXPECT_TRUE(error.happened.starts_with("Redis (cache) did not start")) << error.happened;
    }
    EXPECT_EQ(queue.pid(), 0);
    EXPECT_EQ(heard_.count(), 0U);
}

// Dies at once each time, as one whose disk is full would; then the trouble is over.
TEST_F(SupervisorTest, KeepsTryingUntilTheTroubleIsOver) {
    Redis cache(folder_.redis(RedisKind::cache));
    Supervisor supervisor({&cache}, std::ref(heard_));
    supervisor.start();
    auto const data = cache.options().data;
    auto const hidden = folder_.path() / "hidden";
    std::filesystem::rename(data, hidden);
    write_whole(data, "in the way", 0600);
    ::kill(cache.pid(), SIGKILL);
    for (std::size_t i = 0; i < 2; ++i) {
        auto const failed = heard_.wait_for(i);
        EXPECT_FALSE(failed.restarted);
        EXPECT_TRUE(failed.line.contains("did not come back; next attempt in 0.")) << failed.line;
    }
    std::filesystem::remove(data);
    for (std::size_t i = 2;; ++i)
        if (heard_.wait_for(i).restarted) break;
    EXPECT_EQ(ask_redis(cache.address(), "PING"), "+PONG");
}

TEST_F(SupervisorTest, StopDoesNotWaitForAPause) {
    Redis cache(folder_.redis(RedisKind::cache));
    Supervisor supervisor({&cache}, std::ref(heard_));
    supervisor.start();
    std::filesystem::rename(cache.options().data, folder_.path() / "hidden");
    write_whole(cache.options().data, "in the way", 0600);
    ::kill(cache.pid(), SIGKILL);
    EXPECT_FALSE(heard_.wait_for(3).restarted);
    auto const begin = std::chrono::steady_clock::now();
    supervisor.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 300ms);
}

}  // namespace
}  // namespace buildplan::local
