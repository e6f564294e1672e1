// Where the servers' programs are. Throws OperatorError, naming the package, for one that is not installed.
#pragma once

#include <filesystem>
#include <string_view>

namespace buildplan::local {

inline constexpr int postgres_major = 15;

// The folder that holds initdb and postgres of that major version: `setting` when it is given, else Debian's folder,
// else the first of $PATH.
std::filesystem::path find_postgres(std::filesystem::path const& setting = {});

// A program by its path when `setting` is given, else the first of $PATH, /usr/bin, /usr/local/bin and /usr/sbin.
std::filesystem::path find_redis(std::filesystem::path const& setting = {});

}  // namespace buildplan::local
