// Where the servers' programs are. Throws OperatorError, naming the package, for one that is not installed.
#pragma once

#include <filesystem>
#include <string_view>

namespace buildplan::local {

inline constexpr int postgres_major = 15;
inline constexpr std::string_view usual_search_path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin";

// The folder that holds initdb and postgres of that major version: `setting` when it is given, else Debian's folder,
// else the first of `search_path` (written like $PATH).
std::filesystem::path find_postgres(std::filesystem::path const& setting = {},
                                    std::string_view search_path = usual_search_path);

// The program redis-server: `setting` when it is given, else the first of `search_path`.
std::filesystem::path find_redis(std::filesystem::path const& setting = {},
                                 std::string_view search_path = usual_search_path);

}  // namespace buildplan::local
