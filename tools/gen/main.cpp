// buildplan_gen [--check] [ROOT]: writes queries.gen.hpp beside each queries.sql below ROOT/src, from what a PostgreSQL
// with the migrations of this build says of the statements. With --check it writes nothing and names the files that are
// not as they should be. Started by script/gen. Exit code: 0, 1 (stale, or an error in a queries.sql), 2 (bad usage).
#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <vector>

#include "core/operator_error.hpp"
#include "fmt/core.h"
#include "gen/generate.hpp"
#include "gen/source.hpp"
#include "local/postgres.hpp"
#include "local/socket_folder.hpp"
#include "postgres/migrations.hpp"
#include "postgres/roles.hpp"

namespace buildplan::gen {
namespace {

namespace fs = std::filesystem;

constexpr auto header_name = "queries.gen.hpp";

// A folder that goes with the program.
class TemporaryFolder {
public:
    TemporaryFolder() {
        auto name = (fs::temp_directory_path() / "buildplan-gen-XXXXXX").native();
        if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
        path_ = name;
        fs::permissions(path_, fs::perms{0711});  // the server may run as another user
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(TemporaryFolder const&) = delete;
    TemporaryFolder& operator=(TemporaryFolder const&) = delete;

    [[nodiscard]] fs::path const& path() const noexcept { return path_; }

private:
    fs::path path_;
};

local::PostgresOptions server_options(fs::path const& folder) {
    local::PostgresOptions options;
    options.data = folder / "data";
    options.sockets = local::make_socket_folder(folder / "sockets", options.user);
    options.log = folder / "postgres.log";
    options.durable = false;
    options.trust = true;
    return options;
}

std::string read(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(fs::path const& path, std::string const& text) {
    auto const unfinished = fs::path(path.native() + ".new");
    std::ofstream file(unfinished, std::ios::binary);
    file << text;
    file.close();
    if (!file)
        throw OperatorError(fmt::format("{} cannot be written", unfinished.native()),
                            "look at the disk and its rights");
    fs::rename(unfinished, path);
}

struct Found {
    fs::path file;
    fs::path folder;  // below src/ or tools/, whichever it is in
};

// The example of the generator's own test is kept up to date with the rest.
std::vector<Found> files_called(fs::path const& root, std::string_view name) {
    std::vector<Found> found;
    for (auto const* const top : {"src", "tools"}) {
        for (auto const& entry : fs::recursive_directory_iterator(root / top)) {
            if (!entry.is_regular_file() || entry.path().filename() != name) continue;
            found.push_back({entry.path(), fs::relative(entry.path().parent_path(), root / top)});
        }
    }
    std::ranges::sort(found, {}, &Found::file);
    return found;
}

// Says what it changed, or with `check` what it would; whether everything is as it should be.
bool run(fs::path const& root, bool check) {
    bool good = true;
    auto const complain = [&](fs::path const& file, std::string const& what) {
        fmt::print(stderr, "{}{}\n", fs::relative(file, root).native(), what);
        good = false;
    };
    for (auto const& [header, folder] : files_called(root, header_name)) {
        if (!fs::exists(header.parent_path() / "queries.sql"))
            complain(header, ": there is no queries.sql beside it; delete it");
    }
    auto const files = files_called(root, "queries.sql");
    if (files.empty()) return good;

    TemporaryFolder const temporary;
    local::Postgres server(server_options(temporary.path()));
    server.start();
    postgres::bootstrap_roles(server.url(local::superuser_role));
    postgres::migrate(server.url(local::owner_role));
    Database database(server.url(local::app_role), server.url(local::system_role));
    for (auto const& [file, folder] : files) {
        auto const header = file.parent_path() / header_name;
        try {
            auto const text = make_header(folder.native(), read(file), database);
            if (fs::exists(header) && read(header) == text) continue;
            if (check) {
                complain(header, ": stale, run script/gen");
            } else {
                write(header, text);
                fmt::print("wrote {}\n", fs::relative(header, root).native());
            }
        } catch (SourceError const& error) {
            complain(file, fmt::format(":{}: {}", error.line, error.what()));
        }
    }
    return good;
}

int main_(std::span<char*> arguments) {
    bool check = false;
    fs::path root = ".";
    for (std::string_view const argument : arguments.subspan(1)) {
        if (argument == "--check") {
            check = true;
        } else if (!argument.starts_with('-')) {
            root = argument;
        } else {
            fmt::print(stderr, "usage: buildplan_gen [--check] [ROOT]\n");
            return 2;
        }
    }
    try {
        return run(fs::canonical(root), check) ? 0 : 1;
    } catch (std::exception const& error) {
        fmt::print(stderr, "buildplan_gen: {}\n", error.what());
        return 1;
    }
}

}  // namespace
}  // namespace buildplan::gen

int main(int count, char** arguments) { return buildplan::gen::main_({arguments, static_cast<std::size_t>(count)}); }
