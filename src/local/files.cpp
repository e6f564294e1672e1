#include "local/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "local/fd.hpp"

namespace buildplan::local {
namespace {

constexpr std::uint64_t wanted_free = 200'000'000;

// Folders of one server's user are written to by name inside an opened folder, never through a link.
Fd open_folder(std::filesystem::path const& path) {
    Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) throw file_error(path, "cannot be opened as a folder", errno);
    return folder;
}

void set_up(int folder, std::filesystem::path const& path, mode_t mode, uid_t uid, gid_t gid) {
    struct stat info{};
    if (::fstat(folder, &info) < 0) throw file_error(path, "cannot be looked at", errno);
    if ((info.st_uid != uid || info.st_gid != gid) && ::fchown(folder, uid, gid) < 0)
        throw file_error(
            path, fmt::format("belongs to '{}' and cannot be given to '{}'", user_name(info.st_uid), user_name(uid)),
            errno);
    if ((info.st_mode & 07777) != mode && ::fchmod(folder, mode) < 0)
        throw file_error(path, "cannot be given its mode", errno);
}

void create(std::filesystem::path const& path) {
    if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) throw file_error(path, "cannot be made", errno);
}

}  // namespace

std::optional<std::string> read_file(std::filesystem::path const& path, std::size_t most) {
    Fd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    std::string content(most, '\0');
    std::size_t size = 0;
    while (size < most) {
        auto const got = ::read(file.get(), content.data() + size, most - size);
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    content.resize(size);
    return content;
}

std::uint64_t size_or_zero(std::filesystem::path const& path) noexcept {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::string read_from(std::filesystem::path const& path, std::uint64_t offset, std::size_t most) {
    Fd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    auto const size = size_or_zero(path);
    if (!file || size <= offset) return {};
    auto const start = std::max(offset, size > most ? size - most : 0);
    std::string content(static_cast<std::size_t>(size - start), '\0');
    auto const got = ::pread(file.get(), content.data(), content.size(), static_cast<off_t>(start));
    content.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return content;
}

void write_whole(std::filesystem::path const& path, std::string_view content, mode_t mode,
                 std::optional<ServerUser> const& owner, bool durable) {
    auto const folder = open_folder(path.parent_path());
    auto const name = path.filename().native();
    auto const temporary = name + ".new";
    ::unlinkat(folder.get(), temporary.c_str(), 0);
    Fd file(::openat(folder.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw file_error(path, "cannot be written", errno);
    for (auto rest = content; !rest.empty();) {
        auto const written = ::write(file.get(), rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw file_error(path, "cannot be written", errno);
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    set_up(file.get(), path, mode, owner ? owner->uid : ::geteuid(), owner ? owner->gid : ::getegid());
    if (durable && ::fsync(file.get()) < 0) throw file_error(path, "cannot be written", errno);
    if (::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) < 0)
        throw file_error(path, "cannot be replaced", errno);
    if (durable && ::fsync(folder.get()) < 0) throw file_error(path, "cannot be written", errno);
}

void make_folder(std::filesystem::path const& path, mode_t mode, std::optional<ServerUser> const& owner) {
    create(path);
    auto const folder = open_folder(path);
    set_up(folder.get(), path, mode, owner ? owner->uid : ::geteuid(), owner ? owner->gid : ::getegid());
}

void make_shared_folder(std::filesystem::path const& path, mode_t mode, gid_t group) {
    create(path);
    auto const folder = open_folder(path);
    set_up(folder.get(), path, mode, ::geteuid(), group);
}

void remove_folder(std::filesystem::path const& path) {
    // A process that is just being killed may still add a file while we take the others away.
    constexpr int tries = 20;
    std::error_code error;
    for (int attempt = 0; attempt < tries; ++attempt) {
        std::filesystem::remove_all(path, error);
        if (!error) return;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    throw file_error(path, "cannot be removed", error.value());
}

void sync_folder(std::filesystem::path const& path) {
    auto const folder = open_folder(path);
    if (::fsync(folder.get()) < 0) throw file_error(path, "cannot be written", errno);
}

std::uint64_t free_bytes(std::filesystem::path const& path) {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) < 0) throw file_error(path, "cannot be looked at", errno);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

void require_free(std::filesystem::path const& path, std::uint64_t minimum) {
    auto const free = free_bytes(path);
    if (free >= minimum) return;
    throw OperatorError(
        fmt::format("The disk of {} is nearly full ({} MB free)", path.native(), free / 1'000'000),
        fmt::format("make {} MB free there, or choose another folder with --data", (minimum + 999'999) / 1'000'000));
}

OperatorError disk_full(std::filesystem::path const& path) {
    struct statvfs info{};
    std::uint64_t free = 0;
    if (::statvfs(path.c_str(), &info) == 0) free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    return {fmt::format("The disk of {} is full ({} MB free)", path.native(), free / 1'000'000),
            fmt::format("make {} MB free there, or choose another folder with --data", wanted_free / 1'000'000)};
}

OperatorError file_error(std::filesystem::path const& path, std::string_view what, int error) {
    if (error == ENOSPC || error == EDQUOT) return disk_full(path.parent_path());
    auto const* const remedy =
        error == EACCES || error == EPERM    ? "run as the user it belongs to, or choose another folder with --data"
        : error == EROFS                     ? "choose a folder that can be written with --data"
        : error == ELOOP || error == ENOTDIR ? "put a real folder there, or choose another with --data"
                                             : "check the path, or choose another folder with --data";
    return {fmt::format("{} {} ({})", path.native(), what, std::generic_category().message(error)), remedy};
}

}  // namespace buildplan::local
