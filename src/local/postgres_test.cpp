#include "local/postgres.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "local/files.hpp"
#include "local/leftovers.hpp"
#include "local/socket_folder.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;

template <class Action>
OperatorError error_of(Action action) {
    try {
        action();
    } catch (OperatorError const& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        EXPECT_NE(error.exit_code, 0);
        return error;
    }
    ADD_FAILURE() << "no error";
    return {"", ""};
}

class PostgresTest : public testing::Test {
protected:
    // As `up` has it, but without waiting for the disk. The folder above is closed to the server's user.
    PostgresOptions options_in(std::filesystem::path const& folder) {
        PostgresOptions options;
        options.data = folder / "postgres";
        options.sockets = make_socket_folder(folder / "sockets", options.user);
        options.log = folder / "postgres.log";
        options.settings["fsync"] = "off";
        if (options.user.is_other())
            make_shared_folder(folder, 0710, options.user.gid);
        else
            make_folder(folder, 0700);
        return options;
    }
    PostgresOptions options() { return options_in(folder_); }

    // With its data folder made, as a copy of one: only where making it is the matter does a test wait for initdb.
    PostgresOptions prepared(PostgresOptions const& options) {
        static auto const model = [&] {
            auto quick = options_in(test_support::make_temporary_folder("model"));
            quick.durable = false;
            quick.password = password;
            Postgres(quick).initialise();
            return quick.data;
        }();
        ChildOptions copy;
        copy.command = {"/bin/cp", "-a", model, options.data};
        EXPECT_TRUE(run_program(copy, 60s).success());
        return options;
    }
    static constexpr auto password = "p/w%'";

    // The answer of psql to one statement, or what it complains of.
    std::string sql(std::string const& url, std::string const& statement) {
        ChildOptions psql;
        psql.command = {"/usr/bin/psql", "--no-psqlrc", "-qAt", url, "-c", statement};
        psql.log = folder_ / "psql.log";
        auto const start = size_or_zero(psql.log);
        run_program(psql, 20s);
        auto answer = read_from(psql.log, start, 10'000);
        if (answer.ends_with('\n')) answer.pop_back();
        return answer;
    }

    std::filesystem::path above_ = test_support::make_temporary_folder("postgres");
    std::filesystem::path folder_ = above_ / "data";

    void SetUp() override {
        std::filesystem::permissions(above_, std::filesystem::perms(0700));
        make_folder(folder_, 0700);
    }
};

TEST_F(PostgresTest, ServesItsThreeRolesAndNobodyElse) {
    auto settings = options();
    settings.tcp_port = test_support::free_port();
    settings.password = password;
    Postgres postgres(prepared(settings));
    postgres.start();
    for (auto const role : {owner_role, app_role, system_role})
        EXPECT_EQ(sql(postgres.url(role), "SELECT current_user || ' of ' || current_database()"),
                  fmt::format("{} of buildplan", role));
    EXPECT_EQ(sql(postgres.url(superuser_role),
                  "SELECT rolname FROM pg_roles WHERE rolname LIKE 'buildplan%' AND (rolsuper OR rolbypassrls OR "
                  "rolcreaterole)"),
              "");
    EXPECT_EQ(sql(postgres.url(superuser_role),
                  "SHOW data_checksums; SHOW jit; SHOW server_encoding; SHOW lc_collate; "
                  "SHOW listen_addresses; SHOW synchronous_commit"),
              "on\noff\nUTF8\nC.UTF-8\n127.0.0.1\non");
    // Made later: not in the map, so the kernel's word is not enough.
    sql(postgres.url(superuser_role), "CREATE ROLE stranger LOGIN");
    EXPECT_TRUE(sql(postgres.url("stranger"), "SELECT 1").contains("Peer authentication failed"));
    struct stat info{};
    ASSERT_EQ(::stat(settings.sockets.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U);

    EXPECT_EQ(sql(postgres.tcp_url(app_role), "SELECT current_user"), app_role);
    EXPECT_TRUE(sql(fmt::format("postgresql://{}:no@127.0.0.1:{}/buildplan", app_role, postgres.port()), "SELECT 1")
                    .contains("password authentication failed"));
    EXPECT_FALSE(
        sql(fmt::format("postgresql://postgres@127.0.0.1:{}/postgres", postgres.port()), "SELECT 1").contains("1\n"));
}

TEST_F(PostgresTest, AnsweredWritesOutliveTheServerHoweverItEnds) {
    test_support::PostgresServer server(prepared(options()));
    server.run_sql("CREATE TABLE t (n int); INSERT INTO t VALUES (1)", "postgres");
    server.kill9();
    server.restart();
    server.run_sql("INSERT INTO t VALUES (2)", "postgres");
    auto const busy = std::jthread([url = server.url("postgres", "postgres"), this] {
        sql(url, "SELECT pg_sleep(60)");  // an unfinished statement does not hold up the end
    });
    auto const begin = std::chrono::steady_clock::now();
    server.restart();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_EQ(sql(server.url("postgres", "postgres"), "SELECT sum(n) FROM t"), "3");
    server.server().start();  // one that runs is left alone
    EXPECT_NE(server.server().pid(), 0);
}

TEST_F(PostgresTest, ComesBackWhileProcessesOfTheDeadOneRun) {
    test_support::PostgresServer server(prepared(options()));
    auto const first = server.server().pid();
    server.pause();  // its helpers cannot notice that their postmaster is gone
    ::kill(first, SIGKILL);
    ASSERT_TRUE(server.server().ended_within(10s));
    EXPECT_FALSE(running_in(server.server().options().data, "postgres").empty());
    server.server().start();
    EXPECT_NE(server.server().pid(), first);
    server.run_sql("SELECT 1");
}

TEST_F(PostgresTest, InitdbThatWasKilledIsDoneAgain) {
    auto settings = options();
    for (auto const after : {60ms, 250ms, 450ms}) {
        test_support::Forked victim([&] { Postgres(settings).initialise(); });
        std::this_thread::sleep_for(after);  // wherever it is by now
        victim.kill9();
    }
    std::filesystem::create_directories(folder_ / "postgres.unfinished");
    std::ofstream(folder_ / "postgres.unfinished" / "PG_VERSION") << "15\n";
    Postgres postgres(settings);
    postgres.start();
    EXPECT_EQ(sql(postgres.url(app_role), "SELECT 1"), "1");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "postgres.unfinished"));
}

TEST_F(PostgresTest, ServerThatSurvivedItsStarterIsReplaced) {
    auto settings = prepared(options());
    // One that gets no death signal, as if the kernel had none.
    test_support::Forked earlier([&] {
        ChildOptions child;
        child.command = {find_postgres() / "postgres",        "-D", "/proc/self/fd/3", "-c", "listen_addresses=", "-c",
                         "unix_socket_directories=../sockets"};
        child.passed_folder = settings.data;
        child.log = settings.log;
        child.user = settings.user;
        child.death_signal = 0;
        static ChildProcess orphan(child);
        while (!read_file(settings.data / "postmaster.pid", 4096).value_or("").contains("ready"))
            std::this_thread::sleep_for(1ms);
    });
    ASSERT_TRUE(earlier.done());
    earlier.kill9();
    auto const orphans = running_in(settings.data, "postgres");
    ASSERT_FALSE(orphans.empty());
    Postgres postgres(settings);
    postgres.start();
    for (auto const& orphan : orphans) EXPECT_TRUE(orphan.ended_within(0ms));
    EXPECT_TRUE(read_from(settings.log, 0, 100'000).contains("received fast shutdown request"));
    EXPECT_EQ(sql(postgres.url(app_role), "SELECT 1"), "1");
}

TEST_F(PostgresTest, KilledStarterTakesItsServerAlong) {
    auto settings = prepared(options());
    test_support::Forked starter([&] {
        static Postgres postgres(settings);
        postgres.start();
    });
    ASSERT_TRUE(starter.done());
    auto const processes = running_in(settings.data, "postgres");
    ASSERT_FALSE(processes.empty());
    starter.kill9();
    for (auto const& process : processes) EXPECT_TRUE(process.ended_within(10s));
}

TEST_F(PostgresTest, StaleLockFilesDoNotMatterWhoeverHasTheirProcessIdsNow) {
    auto settings = prepared(options());
    Postgres postgres(settings);
    postgres.start();
    postgres.stop();
    // A process of the server's own user: PostgreSQL by itself would refuse to start.
    ChildOptions other;
    other.command = {"/bin/sleep", "60"};
    other.user = settings.user;
    ChildProcess const innocent(other);
    auto const lock = fmt::format("{}\n/proc/self/fd/3\n1700000000\n5432\n\n\n\nready\n", innocent.pid());
    write_whole(settings.data / "postmaster.pid", lock, 0600, settings.user);
    write_whole(settings.sockets / ".s.PGSQL.5432.lock", lock, 0600, settings.user);
    postgres.start();
    EXPECT_EQ(sql(postgres.url(app_role), "SELECT 1"), "1");
    EXPECT_EQ(::kill(innocent.pid(), 0), 0);
}

TEST_F(PostgresTest, LongPathsGetShortSockets) {
    auto const folder = folder_ / std::string(100, 'x');
    make_folder(folder, 0700);
    auto const settings = prepared(options_in(folder));
    EXPECT_TRUE(settings.sockets.native().starts_with("/tmp/buildplan-"));
    Postgres postgres(settings);
    postgres.start();
    EXPECT_EQ(sql(postgres.url(app_role), "SELECT 1"), "1");
    postgres.stop();
    std::filesystem::remove_all(settings.sockets);
}

TEST_F(PostgresTest, FolderOfAnotherVersionIsRefused) {
    auto settings = options();
    make_folder(settings.data, 0700, settings.user);
    write_whole(settings.data / "PG_VERSION", "12\n", 0600, settings.user);
    Postgres postgres(settings);
    EXPECT_EQ(error_of([&] { postgres.start(); }).happened,
              settings.data.native() + " holds data of PostgreSQL 12, and this needs 15");
    std::filesystem::remove(settings.data / "PG_VERSION");
    std::ofstream(settings.data / "letter.txt") << "dear";
    EXPECT_TRUE(error_of([&] { postgres.start(); }).happened.contains("is no PostgreSQL data folder"));
    EXPECT_TRUE(std::filesystem::exists(settings.data / "letter.txt"));
}

TEST_F(PostgresTest, MissingProgramNamesThePackage) {
    auto settings = options();
    settings.programs = "/nowhere";
    EXPECT_TRUE(error_of([&] { Postgres{settings}; }).happened.contains("/nowhere"));
    // Only where it is not in Debian's folder does the search path count.
    if (!std::filesystem::exists("/usr/lib/postgresql/15/bin/postgres")) {
        EXPECT_TRUE(error_of([] { find_postgres({}, "/nowhere"); }).remedy.contains("postgresql-15"));
    }
}

TEST_F(PostgresTest, FailureToStartNamesItsReason) {
    auto settings = prepared(options());
    settings.settings["shared_buffers"] = "much";
    Postgres postgres(settings);
    auto const error = error_of([&] { postgres.start(); });
    EXPECT_TRUE(error.happened.starts_with("PostgreSQL did not start (exit code 1): FATAL:")) << error.happened;
    EXPECT_TRUE(error.remedy.contains(settings.log.native()));
    EXPECT_EQ(postgres.pid(), 0);
}

TEST_F(PostgresTest, TakenPortIsNamed) {
    auto settings = options();
    test_support::RedisWishes wishes;
    wishes.tcp = true;
    auto const other = test_support::start_redis(wishes);
    settings.tcp_port = other->port();
    settings.password = "secret";
    auto const error = error_of([&] { Postgres(prepared(settings)).start(); });
    EXPECT_TRUE(error.remedy.contains("port")) << error.what();
}

// A disk that is full in the middle of initdb: a small one where we may mount one, and a program that says so for all.
TEST_F(PostgresTest, FullDiskIsToldAsSuch) {
    auto settings = options();
    auto const programs = folder_ / "programs";
    std::filesystem::create_directory(programs);
    for (auto const* name : {"initdb", "postgres"}) {
        std::ofstream(programs / name)
            << "#!/bin/sh\necho 'initdb: error: could not write to file: No space left on device'\nexit 1\n";
        std::filesystem::permissions(programs / name, std::filesystem::perms(0755));
    }
    auto const expect_told = [](OperatorError const& error) {
        EXPECT_TRUE(error.happened.starts_with("The disk of ")) << error.happened;
        EXPECT_TRUE(error.happened.contains(" is full (")) << error.happened;
    };
    auto fake = settings;
    fake.programs = programs;
    std::filesystem::permissions(above_, std::filesystem::perms(0755));
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    expect_told(error_of([&] { Postgres(fake).start(); }));

    auto const disk = folder_ / "disk";
    std::filesystem::create_directory(disk);
    if (::mount("none", disk.c_str(), "tmpfs", 0, "size=12m,mode=0755") == 0) {
        settings.data = disk / "postgres";
        auto const error = error_of([&] { Postgres(settings).start(); });
        ::umount2(disk.c_str(), MNT_DETACH);
        expect_told(error);
    }
}

}  // namespace
}  // namespace buildplan::local
