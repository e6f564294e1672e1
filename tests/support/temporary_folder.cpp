#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include "local/fd.hpp"
#include "servers.hpp"

namespace buildplan::test_support {
namespace {

constexpr std::string_view prefix = "buildplan-test-";

// Holds a lock while the program lives; a folder whose lock can be taken belongs to nobody any more.
class ProgramFolder {
public:
    ProgramFolder() {
        auto const base = std::filesystem::temp_directory_path();
        sweep(base);
        auto name = (base / fmt::format("{}XXXXXX", prefix)).native();
        if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
        path_ = name;
        // The servers run as another user when we are root.
        ::chmod(name.c_str(), 0711);
        lock_ = lock_of(path_);
        if (!lock_) throw std::runtime_error("cannot lock " + name);
    }
    ~ProgramFolder() { remove(path_); }
    ProgramFolder(ProgramFolder const&) = delete;
    ProgramFolder& operator=(ProgramFolder const&) = delete;

    [[nodiscard]] std::filesystem::path make(std::string_view purpose) {
        auto const folder = path_ / fmt::format("{}-{}", purpose, ++made_);
        std::filesystem::create_directory(folder);
        return folder;
    }

private:
    static local::Fd lock_of(std::filesystem::path const& folder) {
        local::Fd lock(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) < 0) return {};
        return lock;
    }

    static void remove(std::filesystem::path const& folder) {
        std::error_code ignored;  // a straggler may still write; the next program sweeps
        std::filesystem::remove_all(folder, ignored);
    }

    static void sweep(std::filesystem::path const& base) {
        std::error_code ignored;
        for (auto const& entry : std::filesystem::directory_iterator(base, ignored)) {
            struct stat info{};
            bool const ours = entry.path().filename().native().starts_with(prefix) &&
                              ::lstat(entry.path().c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
                              info.st_uid == ::geteuid();
            // A young one may just be in the making: its lock is there, and not yet held.
            bool const young = ::time(nullptr) - info.st_mtime < 60;
            if (!ours || young || !std::filesystem::exists(entry.path() / "lock", ignored)) continue;
            if (auto const lock = lock_of(entry.path())) remove(entry.path());
        }
    }

    std::filesystem::path path_;
    local::Fd lock_;
    int made_ = 0;
};

}  // namespace

std::filesystem::path make_temporary_folder(std::string_view purpose) {
    static ProgramFolder folder;
    return folder.make(purpose);
}

}  // namespace buildplan::test_support
