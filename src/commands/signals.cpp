#include "commands/signals.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

namespace buildplan::commands {
namespace {

sigset_t set_of(auto... signals) {
    sigset_t set;
    ::sigemptyset(&set);
    (::sigaddset(&set, signals), ...);
    return set;
}

sigset_t waited_for() { return set_of(SIGINT, SIGTERM, SIGHUP, SIGUSR1); }

}  // namespace

void hold_signals() {
    auto const set = waited_for();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_signal() {
    auto const set = waited_for();
    int signal = 0;
    while (::sigwait(&set, &signal) != 0) {
    }
    return signal == SIGUSR1 ? 0 : signal;
}

void wake_main() { ::kill(::getpid(), SIGUSR1); }

void release_signals() {
    auto const set = set_of(SIGINT, SIGTERM);
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace buildplan::commands
