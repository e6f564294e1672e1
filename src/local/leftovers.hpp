// Servers that an earlier process left behind. A server's working folder is its data folder, which no two may share;
// that is how one is told from everything else on the machine, also where process ids were given out again. Needs
// /proc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string_view>
#include <vector>

#include "local/fd.hpp"

namespace buildplan::local {

struct Leftover {
    pid_t pid = 0;
    Fd pidfd;

    void signal(int number) const noexcept;
    [[nodiscard]] bool ended_within(std::chrono::milliseconds timeout) const noexcept;
};

// The processes of `program` (its file name) whose working folder is `folder`.
std::vector<Leftover> running_in(std::filesystem::path const& folder, std::string_view program);

// SIGKILL for each of them, until there is none. Throws OperatorError when they do not go.
void kill_running_in(std::filesystem::path const& folder, std::string_view program);

}  // namespace buildplan::local
