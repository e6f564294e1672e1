// A process held by a descriptor (pidfd_open(2)), so that a signal never reaches whoever got its id afterwards.
// glibc 2.36 declares these calls without C linkage, hence by number.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "local/fd.hpp"

namespace buildplan::local {

inline Fd open_process(pid_t pid) noexcept { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

inline void signal_process(Fd const& process, int number) noexcept {
    ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0);
}

}  // namespace buildplan::local
