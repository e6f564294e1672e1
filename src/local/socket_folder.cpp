#include "local/socket_folder.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdint>

#include "core/operator_error.hpp"
#include "local/files.hpp"

namespace buildplan::local {
namespace {

constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t longest_name = std::string_view("/.s.PGSQL.65535").size() + 2;

// FNV-1a: the same folder gives the same name at each start, so nothing piles up in /tmp.
std::uint64_t fingerprint(std::string_view text) {
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (unsigned char const byte : text) hash = (hash ^ byte) * 1'099'511'628'211U;
    return hash;
}

}  // namespace

std::filesystem::path make_socket_folder(std::filesystem::path const& wanted, ServerUser const& user) {
    auto folder = wanted;
    if (wanted.native().size() + longest_name > longest_path) {
        folder = fmt::format("/tmp/buildplan-{:016x}", fingerprint(wanted.native()));
        struct stat info{};
        if (::lstat(folder.c_str(), &info) == 0 && (!S_ISDIR(info.st_mode) || info.st_uid != user.uid))
            throw OperatorError(fmt::format("The sockets would go to {}, but '{}' made that already", folder.native(),
                                            user_name(info.st_uid)),
                                "remove it, or choose a data folder with a shorter path with --data");
    }
    make_folder(folder, 0700, user);
    return folder;
}

std::filesystem::path seen_from(std::filesystem::path const& folder, std::filesystem::path const& socket) {
    auto relative = socket.lexically_relative(folder);
    auto const above = folder.parent_path().native() + "/";
    return socket.native().starts_with(above) ? relative : socket;
}

}  // namespace buildplan::local
