// Where unix sockets go. A socket's address holds 107 bytes (unix(7)); a folder whose path is too long for that is
// replaced by a short one under /tmp that is ours alone.
#pragma once

#include <filesystem>

#include "local/server_user.hpp"

namespace buildplan::local {

// Makes and returns `wanted`, or /tmp/buildplan-<hash of wanted> when a socket in it could not be addressed. Mode 0700,
// belonging to `user`. Throws OperatorError when somebody else holds that name.
std::filesystem::path make_socket_folder(std::filesystem::path const& wanted, ServerUser const& user);

// `socket` as a server names it whose working folder is `folder`: relative where both are in one data folder, because
// the server's user may not be able to enter the folders above that.
std::filesystem::path seen_from(std::filesystem::path const& folder, std::filesystem::path const& socket);

}  // namespace buildplan::local
