// World: a PostgreSQL that writes through to its disk (fsync), a Redis with an append-only file (everysec), and
// processes of chaos_worker on them, all of them to be killed and started again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "blows.hpp"
#include "local/child_process.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::chaos {

// The servers of the test program, with the schema.
class Servers {
public:
    static Servers& get();

    [[nodiscard]] test_support::PostgresServer& postgres() { return *postgres_; }
    [[nodiscard]] test_support::RedisServer& redis() { return *redis_; }

    // They are down when these return.
    void kill_postgres(bool alone);
    void kill_redis(std::chrono::milliseconds lost);
    void start_postgres() { postgres_->server().start(); }
    void start_redis() { redis_->server().start(); }

private:
    Servers();
    std::unique_ptr<test_support::PostgresServer> postgres_;
    std::unique_ptr<test_support::RedisServer> redis_;
};

struct CrewOptions {
    std::size_t workers = 3, relays = 2;
    bool careless = false;
    unsigned slow = 10;  // of a thousand jobs
};

class Crew {
public:
    explicit Crew(CrewOptions options);

    void kill(Victim victim, std::size_t which);
    void start(Victim victim, std::size_t which);
    // Those that have ended by themselves, with the end of their logs: none should.
    [[nodiscard]] std::vector<std::string> deserters();

private:
    struct Member {
        std::filesystem::path log;
        std::unique_ptr<local::ChildProcess> process;
    };
    [[nodiscard]] Member& member(Victim victim, std::size_t which);
    void note_end(Member& member, local::ExitStatus status);

    CrewOptions options_;
    std::vector<Member> workers_, relays_;
    std::vector<std::string> deserters_;
};

}  // namespace buildplan::chaos
