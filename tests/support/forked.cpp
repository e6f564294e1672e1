#include "forked.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

namespace buildplan::test_support {

Forked::Forked(std::function<void()> const& work) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    done_ = local::Fd(ends[0]);
    local::Fd const mine(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ != 0) return;
    try {
        work();
        (void)!::write(mine.get(), "y", 1);
        for (;;) ::pause();
    } catch (std::exception const& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(1);
}

bool Forked::done() {
    char answer = 0;
    return ::read(done_.get(), &answer, 1) == 1;
}

void Forked::kill9() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace buildplan::test_support
