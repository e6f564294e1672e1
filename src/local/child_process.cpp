#include "local/child_process.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "core/operator_error.hpp"
#include "local/files.hpp"
#include "local/pidfd.hpp"

namespace buildplan::local {
namespace {

constexpr int passed_descriptor = 3;
constexpr rlim_t most_open_files = 65'536;

enum class Step : int { session, death_signal, folder, descriptors, user, program };

struct Failure {
    Step step;
    int error;
};

// Everything that the child needs, made ready before fork: after it, in a program with threads, only
// async-signal-safe calls are allowed (signal-safety(7)).
struct Plan {
    std::vector<char*> arguments;
    std::vector<char*> environment;
    Fd folder, passed, in, out, failed;
    std::optional<ServerUser> user;
    rlimit files{};
    int death_signal = 0;
    pid_t parent = 0;
};

[[noreturn]] void fail_child(Plan const& plan, Step step) noexcept {
    Failure const failure{step, errno};
    [[maybe_unused]] auto const written = ::write(plan.failed.get(), &failure, sizeof failure);
    ::_exit(127);
}

// The libc wrappers would tell every thread to switch too; there is only this one, so the plain calls do.
bool switch_user(ServerUser const& user) noexcept {
    return ::syscall(SYS_setgroups, 0, nullptr) == 0 && ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
           ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

[[noreturn]] void become(Plan const& plan) noexcept {
    if (::setsid() < 0) fail_child(plan, Step::session);
    // Handlers go away by exec; what is ignored would stay ignored.
    for (int const number : {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2})
        ::signal(number, SIG_DFL);
    ::umask(077);
    rlimit const no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setrlimit(RLIMIT_NOFILE, &plan.files);
    if (::fchdir(plan.folder.get()) < 0) fail_child(plan, Step::folder);
    if (::dup2(plan.in.get(), 0) < 0 || ::dup2(plan.out.get(), 1) < 0 || ::dup2(plan.out.get(), 2) < 0)
        fail_child(plan, Step::descriptors);
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) fail_child(plan, Step::descriptors);
    if (plan.passed && ::dup2(plan.passed.get(), passed_descriptor) < 0) fail_child(plan, Step::descriptors);
    if (plan.user && !switch_user(*plan.user)) fail_child(plan, Step::user);
    // After the switch, which clears it. The parent may have gone before this line: then nobody would send the signal.
    if (::prctl(PR_SET_PDEATHSIG, plan.death_signal) < 0) fail_child(plan, Step::death_signal);
    if (::getppid() != plan.parent) ::_exit(127);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(plan.arguments[0], plan.arguments.data(), plan.environment.data());
    fail_child(plan, Step::program);
}

// At 10 and above, so that nothing is overwritten when the child puts its own on 0 to 3.
Fd lifted(Fd fd) { return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10)); }

Fd open_or_throw(std::filesystem::path const& path, int flags, mode_t mode = 0) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (!fd) throw file_error(path, "cannot be opened", errno);
    return lifted(std::move(fd));
}

Fd input_of(std::string const& text) {
    if (text.empty()) return open_or_throw("/dev/null", O_RDONLY);
    Fd memory(::memfd_create("input", MFD_CLOEXEC));
    if (!memory) throw std::system_error(errno, std::generic_category(), "memfd_create");
    for (std::size_t done = 0; done < text.size();) {
        auto const written = ::write(memory.get(), text.data() + done, text.size() - done);
        if (written < 0) throw std::system_error(errno, std::generic_category(), "write");
        done += static_cast<std::size_t>(written);
    }
    ::lseek(memory.get(), 0, SEEK_SET);
    return lifted(std::move(memory));
}

Fd output_of(std::filesystem::path const& log) {
    if (log.empty()) return open_or_throw("/dev/null", O_WRONLY);
    return open_or_throw(log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
}

OperatorError not_started(ChildOptions const& options, Failure const& failure) {
    auto const& program = options.command.front();
    auto const reason = std::generic_category().message(failure.error);
    switch (failure.step) {
        case Step::user:
            return {fmt::format("{} cannot run as '{}' ({})", program, options.user->name, reason),
                    "run as a plain user, or as a root that may switch users (CAP_SETUID, CAP_SETGID)"};
        case Step::program:
            return {fmt::format("{} cannot be executed ({})", program, reason),
                    options.user && options.user->is_other()
                        ? fmt::format("it must be executable for the user '{}'", options.user->name)
                        : "check that it is there and executable"};
        case Step::session:
        case Step::death_signal:
        case Step::folder:
        case Step::descriptors:
            break;
    }
    return {fmt::format("{} cannot be started in {} ({})", program, options.working_folder.native(), reason),
            "check the limits and the folder's owner"};
}

}  // namespace

std::string ExitStatus::describe() const {
    return signal != 0 ? fmt::format("signal {}", signal) : fmt::format("exit code {}", code);
}

ChildProcess::ChildProcess(ChildOptions const& options) {
    Plan plan;
    auto command = options.command;
    for (auto& word : command) plan.arguments.push_back(word.data());
    plan.arguments.push_back(nullptr);
    // Nothing of ours leaks in: PGPORT, PGOPTIONS, secrets.
    std::array<std::string, 3> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"};
    for (auto& pair : environment) plan.environment.push_back(pair.data());
    plan.environment.push_back(nullptr);
    plan.folder = open_or_throw(options.working_folder, O_PATH | O_DIRECTORY);
    if (!options.passed_folder.empty()) plan.passed = open_or_throw(options.passed_folder, O_PATH | O_DIRECTORY);
    plan.in = input_of(options.input);
    plan.out = output_of(options.log);
    if (options.user && options.user->is_other()) plan.user = options.user;
    ::getrlimit(RLIMIT_NOFILE, &plan.files);
    plan.files.rlim_cur = std::min(plan.files.rlim_max, most_open_files);
    plan.death_signal = options.death_signal;
    plan.parent = ::getpid();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    Fd failures(ends[0]);
    plan.failed = lifted(Fd(ends[1]));

    // No handler of ours may run in the child.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_ = ::fork();
    if (pid_ == 0) become(plan);
    int const fork_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid_ < 0) throw std::system_error(fork_error, std::generic_category(), "fork");
    plan.failed.reset();
    pidfd_ = open_process(pid_);
    if (!pidfd_) {
        int const error = errno;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        throw std::system_error(error, std::generic_category(), "pidfd_open");
    }
    Failure failure{};
    ssize_t got = 0;
    do got = ::read(failures.get(), &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    if (got == sizeof failure) {
        wait();
        throw not_started(options, failure);
    }
}

ChildProcess::~ChildProcess() {
    if (!ended_) terminate(SIGKILL, {});
}

std::optional<ExitStatus> ChildProcess::wait_for(std::chrono::milliseconds timeout) {
    if (ended_) return ended_;
    auto const until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd ended{pidfd_.get(), POLLIN, 0};
        int const ready = ::poll(&ended, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000)));
        if (ready > 0) break;
        if (ready == 0) return std::nullopt;
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    }
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) < 0)
        throw std::system_error(errno, std::generic_category(), "waitid");
    ended_ = info.si_code == CLD_EXITED ? ExitStatus{info.si_status, 0} : ExitStatus{0, info.si_status};
    return ended_;
}

ExitStatus ChildProcess::wait() {
    for (;;)
        if (auto const status = wait_for(std::chrono::hours{1})) return *status;
}

void ChildProcess::signal(int number) const noexcept { signal_process(pidfd_, number); }

ExitStatus ChildProcess::terminate(int number, std::chrono::milliseconds grace) {
    if (ended_) return *ended_;
    signal(number);
    signal(SIGCONT);  // one that is stopped would not see it
    if (auto const status = wait_for(grace)) return *status;
    signal(SIGKILL);
    return wait();
}

ExitStatus run_program(ChildOptions const& options, std::chrono::milliseconds timeout) {
    ChildProcess child(options);
    if (auto const status = child.wait_for(timeout)) return *status;
    throw OperatorError(fmt::format("{} did not end within {} s", options.command.front(), timeout.count() / 1000),
                        options.log.empty() ? "see what keeps the machine busy" : "see " + options.log.native());
}

}  // namespace buildplan::local
