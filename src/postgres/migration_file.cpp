#include <algorithm>
#include <stdexcept>

#include "core/crypto.hpp"
#include "core/text.hpp"
#include "embedded/migrations.hpp"
#include "fmt/core.h"
#include "postgres/migrations.hpp"

namespace buildplan::postgres {
namespace {

// 0001_what_it_does.sql → 1; 0 for anything else.
int version_of(std::string_view file) {
    int version = 0;
    if (file.size() < 10 || file[4] != '_' || !file.ends_with(".sql")) return 0;
    auto const digits = file.substr(0, 4);
    if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return 0;
    for (char const c : digits) version = version * 10 + (c - '0');
    return version;
}

}  // namespace

std::string_view to_string(Phase phase) noexcept { return phase == Phase::expand ? "expand" : "contract"; }

Migration parse_migration(std::string_view file, std::string_view text) {
    Migration migration{.version = version_of(file), .file = std::string(file), .sql = std::string(text)};
    if (migration.version <= 0) {
        throw std::logic_error(fmt::format("migrations/{}: a migration is named 0001_what_it_does.sql", file));
    }
    migration.checksum = to_hex(sha256(text));

    std::optional<Phase> phase;
    for (auto rest = text; rest.starts_with("--");) {
        auto const end = std::min(rest.find('\n'), rest.size());
        auto const line = trim(rest.substr(2, end - 2));
        if (line == "no transaction") migration.in_transaction = false;
        if (line == "phase: expand") phase = Phase::expand;
        if (line == "phase: contract") phase = Phase::contract;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!phase) {
        throw std::logic_error(
            fmt::format("migrations/{}: its first lines must say '-- phase: expand' or '-- phase: contract'", file));
    }
    migration.phase = *phase;
    return migration;
}

std::vector<Migration> const& known_migrations() {
    static std::vector<Migration> const migrations = [] {
        std::vector<Migration> all;
        for (auto const& file : embedded::migrations()) all.push_back(parse_migration(file.name, file.text));
        std::ranges::sort(all, {}, &Migration::version);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].version != static_cast<int>(i) + 1) {
                throw std::logic_error(fmt::format("migrations/{}: its number should be {:04}", all[i].file, i + 1));
            }
        }
        return all;
    }();
    return migrations;
}

}  // namespace buildplan::postgres
