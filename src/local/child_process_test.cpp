#include "local/child_process.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "core/operator_error.hpp"
#include "local/files.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;

class ChildProcessTest : public testing::Test {
protected:
    // What a shell script writes, run with whatever `options` say.
    std::string output_of(std::string const& script, ChildOptions options = {}) {
        options.command = {"/bin/sh", "-c", script};
        options.log = folder_ / "log";
        auto const start = size_or_zero(options.log);
        EXPECT_TRUE(run_program(options, 10s).success()) << script;
        return read_from(options.log, start, 10'000);
    }

    static ChildOptions shell(std::string const& script) {
        ChildOptions options;
        options.command = {"/bin/sh", "-c", script};
        return options;
    }

    std::filesystem::path folder_ = test_support::make_temporary_folder("child");
};

TEST_F(ChildProcessTest, TellsHowItEnded) {
    EXPECT_EQ(run_program(shell("exit 3"), 10s).describe(), "exit code 3");
    EXPECT_EQ(run_program(shell("kill -9 $$"), 10s).describe(), "signal 9");
    EXPECT_TRUE(run_program(shell("exit 0"), 10s).success());
}

TEST_F(ChildProcessTest, WaitsNoLongerThanAsked) {
    ChildProcess child(shell("exec sleep 60"));
    EXPECT_FALSE(child.wait_for(20ms));
    child.signal(SIGKILL);
    EXPECT_EQ(child.wait().signal, SIGKILL);
}

TEST_F(ChildProcessTest, IsKilledWhenItDoesNotEndInTime) {
    auto options = shell("trap '' TERM; echo deaf; while :; do sleep 0.01; done");
    options.log = folder_ / "deaf";
    ChildProcess child(options);
    while (size_or_zero(options.log) == 0) ASSERT_FALSE(child.wait_for(1ms));
    EXPECT_EQ(child.terminate(SIGTERM, 30ms).signal, SIGKILL);
    EXPECT_THROW(run_program(shell("sleep 60"), 10ms), OperatorError);
}

TEST_F(ChildProcessTest, StoppedProcessSeesItsSignalToo) {
    ChildProcess child(shell("exec sleep 60"));
    child.signal(SIGSTOP);
    EXPECT_EQ(child.terminate(SIGTERM, 10s).signal, SIGTERM);
}

TEST_F(ChildProcessTest, MissingProgramIsOneClearLine) {
    ChildOptions options;
    options.command = {"/nowhere/program"};
    try {
        ChildProcess child(options);
        FAIL() << "it started";
    } catch (OperatorError const& error) {
        EXPECT_EQ(error.happened, "/nowhere/program cannot be executed (No such file or directory)");
        EXPECT_NE(error.exit_code, 0);
    }
}

TEST_F(ChildProcessTest, InheritsNothingButWhatItIsGiven) {
    Fd const open_here(::open("/dev/null", O_RDONLY));  // without CLOEXEC
    ASSERT_TRUE(open_here);
    EXPECT_EQ(output_of("for i in $(seq 0 99); do [ -e /proc/$$/fd/$i ] && echo $i; done; true"), "0\n1\n2\n");
}

TEST_F(ChildProcessTest, StartsWithCleanSignalsAndEnvironment) {
    ::signal(SIGPIPE, SIG_IGN);
    ::setenv("PGPORT", "1", 1);
    EXPECT_EQ(output_of("grep -E 'SigBlk|SigIgn' /proc/self/status"),
              "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    EXPECT_EQ(output_of("echo port=$PGPORT"), "port=\n");
    ::signal(SIGPIPE, SIG_DFL);
    ::unsetenv("PGPORT");
}

TEST_F(ChildProcessTest, HasASessionOfItsOwn) {
    ChildProcess child(shell("exec sleep 60"));
    EXPECT_EQ(::getsid(child.pid()), child.pid());
    EXPECT_EQ(::getpgid(child.pid()), child.pid());
}

TEST_F(ChildProcessTest, ReadsItsInputWhole) {
    ChildOptions options;
    options.input = std::string(300'000, 'x');
    EXPECT_EQ(output_of("wc -c", options), "300000\n");
}

TEST_F(ChildProcessTest, RunsAsTheServersUser) {
    ChildOptions options;
    options.user = server_user();
    EXPECT_EQ(output_of("id -u; id -g; id -G", options),
              options.user->is_other() ? fmt::format("{0}\n{1}\n{1}\n", options.user->uid, options.user->gid)
                                       : output_of("id -u; id -g; id -G"));
    EXPECT_NE(options.user->uid, 0U);
}

TEST_F(ChildProcessTest, ReachesItsFoldersBelowOneThatIsClosedToIt) {
    auto const closed = folder_ / "closed";
    auto const data = closed / "data";
    make_folder(closed, 0700);
    make_folder(data, 0700, server_user());
    ChildOptions options;
    options.user = server_user();
    options.working_folder = data;
    options.passed_folder = data;
    EXPECT_EQ(output_of("echo here > a; echo there > /proc/self/fd/3/b; cat b a", options), "there\nhere\n");
}

TEST_F(ChildProcessTest, DiesWithTheThreadThatStartedIt) {
    std::unique_ptr<ChildProcess> child;
    std::thread([&] {
        auto options = shell("exec sleep 60");
        options.user = server_user();
        options.death_signal = SIGTERM;
        child = std::make_unique<ChildProcess>(options);
    }).join();
    auto const status = child->wait_for(10s);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->signal, SIGTERM);
}

}  // namespace
}  // namespace buildplan::local
