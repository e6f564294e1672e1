// ChildProcess: a program started by us. It gets a session of its own (a Ctrl-C at the terminal goes to us alone, and
// we stop our children in order), no descriptors but the ones named here, default signals, a small clean environment,
// and `death_signal` from the kernel when the *thread* that started it ends, however that comes about (prctl(2),
// PR_SET_PDEATHSIG): start it from a thread that lives as long as the child should.
// The constructor throws OperatorError when the program cannot be started. The destructor kills what still runs. An
// object belongs to one thread, except signal(), which any thread may call while the object lives.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "local/fd.hpp"
#include "local/server_user.hpp"

namespace buildplan::local {

struct ExitStatus {
    int code = 0;    // when it left by itself
    int signal = 0;  // when a signal ended it

    [[nodiscard]] bool success() const noexcept { return code == 0 && signal == 0; }
    [[nodiscard]] std::string describe() const;  // "exit code 1", "signal 9"
};

struct ChildOptions {
    std::vector<std::string> command;  // command[0] is an absolute path
    // Both are opened before the user is switched, so the child reaches them though folders above may be closed to it.
    std::filesystem::path working_folder = "/";
    std::filesystem::path passed_folder;  // when given: descriptor 3 of the child, i.e. /proc/self/fd/3
    std::filesystem::path log;            // standard output and error are appended to it; /dev/null when empty
    std::string input;                    // standard input, any size
    std::optional<ServerUser> user;       // switched to when it is another one than ours
    int death_signal = SIGKILL;
};

class ChildProcess {
public:
    explicit ChildProcess(ChildOptions const& options);
    ~ChildProcess();
    ChildProcess(ChildProcess const&) = delete;
    ChildProcess& operator=(ChildProcess const&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }  // readable once it has ended
    // Its end, when it comes within `timeout`.
    std::optional<ExitStatus> wait_for(std::chrono::milliseconds timeout);
    ExitStatus wait();
    void signal(int number) const noexcept;
    // Sends `number`, waits for `grace`, then SIGKILL.
    ExitStatus terminate(int number, std::chrono::milliseconds grace);

private:
    pid_t pid_ = -1;
    Fd pidfd_;
    std::optional<ExitStatus> ended_;
};

// Runs a program to its end; SIGKILL and OperatorError beyond `timeout`.
ExitStatus run_program(ChildOptions const& options, std::chrono::milliseconds timeout);

}  // namespace buildplan::local
