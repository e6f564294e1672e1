#include "local/programs.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/operator_error.hpp"

namespace buildplan::local {
namespace {

std::vector<std::filesystem::path> search_path() {
    std::vector<std::filesystem::path> folders;
    // The shell's own variable, not a setting of ours.
    auto const* const value = std::getenv("PATH");
    std::string_view rest = value != nullptr ? value : "";
    while (!rest.empty()) {
        auto const end = std::min(rest.find(':'), rest.size());
        if (rest.starts_with('/')) folders.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    for (auto const* usual : {"/usr/bin", "/usr/local/bin", "/usr/sbin"}) folders.emplace_back(usual);
    return folders;
}

bool executable(std::filesystem::path const& path) { return ::access(path.c_str(), X_OK) == 0; }

bool has_postgres(std::filesystem::path const& folder) {
    return executable(folder / "postgres") && executable(folder / "initdb");
}

}  // namespace

std::filesystem::path find_postgres(std::filesystem::path const& setting) {
    if (!setting.empty()) {
        if (has_postgres(setting)) return std::filesystem::absolute(setting);
        throw OperatorError(fmt::format("There is no PostgreSQL in {}", setting.native()),
                            "name the folder that holds `postgres` and `initdb`, or leave that setting out");
    }
    std::filesystem::path const debian = fmt::format("/usr/lib/postgresql/{}/bin", postgres_major);
    if (has_postgres(debian)) return debian;
    for (auto const& folder : search_path())
        if (has_postgres(folder)) return folder;
    throw OperatorError(fmt::format("PostgreSQL {} is not installed", postgres_major),
                        fmt::format("run script/setup, or apt-get install postgresql-{}", postgres_major));
}

std::filesystem::path find_redis(std::filesystem::path const& setting) {
    if (!setting.empty()) {
        if (executable(setting)) return std::filesystem::absolute(setting);
        throw OperatorError(fmt::format("There is no Redis at {}", setting.native()),
                            "name the path of `redis-server`, or leave that setting out");
    }
    for (auto const& folder : search_path())
        if (executable(folder / "redis-server")) return folder / "redis-server";
    throw OperatorError("Redis is not installed", "run script/setup, or apt-get install redis-server");
}

}  // namespace buildplan::local
