#include "local/programs.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "core/operator_error.hpp"

namespace buildplan::local {
namespace {

std::vector<std::filesystem::path> folders_of(std::string_view search_path) {
    std::vector<std::filesystem::path> folders;
    while (!search_path.empty()) {
        auto const end = std::min(search_path.find(':'), search_path.size());
        if (search_path.starts_with('/')) folders.emplace_back(search_path.substr(0, end));
        search_path.remove_prefix(std::min(end + 1, search_path.size()));
    }
    return folders;
}

bool executable(std::filesystem::path const& path) { return ::access(path.c_str(), X_OK) == 0; }

bool has_postgres(std::filesystem::path const& folder) {
    return executable(folder / "postgres") && executable(folder / "initdb");
}

}  // namespace

std::filesystem::path find_postgres(std::filesystem::path const& setting, std::string_view search_path) {
    if (!setting.empty()) {
        if (has_postgres(setting)) return std::filesystem::absolute(setting);
        throw OperatorError(fmt::format("There is no PostgreSQL in {}", setting.native()),
                            "name the folder that holds `postgres` and `initdb`, or leave that setting out");
    }
    std::filesystem::path debian = fmt::format("/usr/lib/postgresql/{}/bin", postgres_major);
    if (has_postgres(debian)) return debian;
    for (auto const& folder : folders_of(search_path))
        if (has_postgres(folder)) return folder;
    throw OperatorError(fmt::format("PostgreSQL {} is not installed", postgres_major),
                        fmt::format("run script/setup, or apt-get install postgresql-{}", postgres_major));
}

std::filesystem::path find_redis(std::filesystem::path const& setting, std::string_view search_path) {
    if (!setting.empty()) {
        if (executable(setting)) return std::filesystem::absolute(setting);
        throw OperatorError(fmt::format("There is no Redis at {}", setting.native()),
                            "name the path of `redis-server`, or leave that setting out");
    }
    for (auto const& folder : folders_of(search_path))
        if (executable(folder / "redis-server")) return folder / "redis-server";
    throw OperatorError("redis-server is not installed", "run script/setup, or apt-get install redis-server");
}

}  // namespace buildplan::local
