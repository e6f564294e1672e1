#include "local/server_user.hpp"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "core/operator_error.hpp"

namespace buildplan::local {
namespace {

template <class Lookup>
std::optional<ServerUser> look_up(Lookup lookup) {
    std::vector<char> buffer(16'384);
    passwd entry{};
    passwd* found = nullptr;
    if (lookup(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
    return ServerUser{found->pw_uid, found->pw_gid, found->pw_name};
}

std::optional<ServerUser> by_name(std::string const& name) {
    return look_up([&](auto... out) { return ::getpwnam_r(name.c_str(), out...); });
}

std::optional<ServerUser> by_id(uid_t uid) {
    return look_up([&](auto... out) { return ::getpwuid_r(uid, out...); });
}

}  // namespace

bool ServerUser::is_other() const noexcept { return uid != ::geteuid(); }

std::string user_name(uid_t uid) {
    auto const user = by_id(uid);
    return user ? user->name : fmt::format("#{}", uid);
}

ServerUser server_user(std::string_view wanted) {
    auto const me = ::geteuid();
    if (me != 0) {
        auto own = by_id(me);
        if (!own)
            throw OperatorError(fmt::format("The user id {} has no name, and PostgreSQL does not run without", me),
                                "add it to /etc/passwd, or run as a user who is there");
        own->gid = ::getegid();
        if (!wanted.empty() && wanted != own->name)
            throw OperatorError(fmt::format("Only root can run the servers as '{}'", wanted),
                                fmt::format("leave that setting out (they then run as '{}')", own->name));
        return *own;
    }
    if (!wanted.empty()) {
        auto user = by_name(std::string(wanted));
        if (!user)
            throw OperatorError(fmt::format("There is no user '{}' to run the servers as", wanted),
                                fmt::format("useradd --system {}, or name another one", wanted));
        if (user->uid == 0)
            throw OperatorError("PostgreSQL does not run as root", "name another user, or leave that setting out");
        return *user;
    }
    for (auto const* name : {"postgres", "nobody"})
        if (auto user = by_name(name)) return *user;
    throw OperatorError("PostgreSQL does not run as root, and there is neither a user 'postgres' nor 'nobody'",
                        "useradd --system postgres");
}

}  // namespace buildplan::local
