#include "local/leftovers.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <sys/stat.h>

#include <charconv>
#include <csignal>
#include <optional>
#include <string>

#include "core/operator_error.hpp"
#include "local/files.hpp"
#include "local/pidfd.hpp"

namespace buildplan::local {
namespace {

struct Place {
    dev_t device;
    ino_t inode;
    bool operator==(Place const&) const = default;
};

std::optional<Place> place_of(std::string const& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) < 0) return std::nullopt;
    return Place{info.st_dev, info.st_ino};
}

bool is_in(pid_t pid, Place const& folder, std::string_view program) {
    auto const place = place_of(fmt::format("/proc/{}/cwd", pid));
    if (!place || *place != folder) return false;
    auto const name = read_file(fmt::format("/proc/{}/comm", pid), 64);
    // The kernel keeps 15 characters and a newline ends them.
    return name && std::string_view(*name).substr(0, name->find('\n')) == program.substr(0, 15);
}

}  // namespace

void Leftover::signal(int number) const noexcept { signal_process(pidfd, number); }

bool Leftover::ended_within(std::chrono::milliseconds timeout) const noexcept {
    pollfd ended{pidfd.get(), POLLIN, 0};
    return ::poll(&ended, 1, static_cast<int>(timeout.count())) > 0;
}

std::vector<Leftover> running_in(std::filesystem::path const& folder, std::string_view program) {
    std::vector<Leftover> found;
    auto const place = place_of(folder.native());
    if (!place) return found;
    std::error_code ignored;
    for (auto entry = std::filesystem::directory_iterator("/proc", ignored);
         entry != std::filesystem::directory_iterator{}; entry.increment(ignored)) {
        auto const name = entry->path().filename().native();
        pid_t pid = 0;
        auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc{} || end != name.data() + name.size() || !is_in(pid, *place, program)) continue;
        // Looked at again once we hold it: the id may have passed to another process in between.
        auto pidfd = open_process(pid);
        if (pidfd && is_in(pid, *place, program)) found.push_back({pid, std::move(pidfd)});
    }
    return found;
}

void kill_running_in(std::filesystem::path const& folder, std::string_view program) {
    constexpr int rounds = 50;  // a process may fork while we look
    for (int round = 0; round < rounds; ++round) {
        auto const left = running_in(folder, program);
        if (left.empty()) return;
        for (auto const& process : left) process.signal(SIGKILL);
        for (auto const& process : left) (void)process.ended_within(std::chrono::milliseconds{200});
    }
    throw OperatorError(fmt::format("Processes of {} from an earlier run still use {}", program, folder.native()),
                        "stop them, then try again");
}

}  // namespace buildplan::local
