#include "local/postgres.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <charconv>
#include <vector>

#include "core/text.hpp"
#include "local/files.hpp"
#include "local/leftovers.hpp"
#include "local/postgres_configuration.hpp"
#include "local/programs.hpp"

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;

constexpr auto fast_stop = 20s;  // a checkpoint of everything that is dirty, on a slow disk
constexpr auto hard_stop = 5s;
constexpr auto initdb_timeout = 120s;
constexpr auto reached_by_descriptor = "/proc/self/fd/3";

// The lines of postmaster.pid (PostgreSQL's pidfile.h): 1 the process id, 8 the state.
std::string_view line_of(std::string_view text, int wanted) {
    for (int line = 1; !text.empty(); ++line) {
        auto const end = std::min(text.find('\n'), text.size());
        if (line == wanted) return trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

struct PostmasterFile {
    pid_t pid = 0;
    bool ready = false;
};

PostmasterFile read_postmaster_file(std::filesystem::path const& data) {
    PostmasterFile file;
    auto const text = read_file(data / "postmaster.pid", 4096);
    if (!text) return file;
    auto const number = line_of(*text, 1);
    std::from_chars(number.data(), number.data() + number.size(), file.pid);
    file.ready = line_of(*text, 8) == "ready";
    return file;
}

// For a part of a URL (RFC 3986 section 2.1) in which the characters of `also_plain` need no encoding.
std::string percent_encoded(std::string_view text, std::string_view also_plain = "") {
    std::string out;
    for (char const c : text) {
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~").contains(c) || also_plain.contains(c);
        if (plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::filesystem::path unfinished(std::filesystem::path data) { return data += ".unfinished"; }

}  // namespace

Postgres::Postgres(PostgresOptions options)
    : Server("PostgreSQL", options.log),
      options_(std::move(options)),
      programs_(find_postgres(options_.programs, options_.search_path)) {
    if (options_.tcp_port && options_.password.empty())
        throw OperatorError("PostgreSQL was asked to listen on TCP, but there is no password", "set one");
}

Postgres::~Postgres() {
    try {
        stop();
    } catch (std::exception const&) {
        forget();  // which kills it
    }
}

ChildOptions Postgres::program(std::string_view name) const {
    ChildOptions child;
    child.command = {(programs_ / name).native(), "-D", reached_by_descriptor};
    child.passed_folder = options_.data;
    child.log = log();
    child.user = options_.user;
    // Fast shutdown for data that counts; otherwise the quickest way out.
    child.death_signal = options_.durable ? SIGINT : SIGQUIT;
    return child;
}

void Postgres::check_folder() const {
    auto const version = read_file(options_.data / "PG_VERSION", 16);
    if (!version)
        throw OperatorError(fmt::format("{} is no PostgreSQL data folder", options_.data.native()),
                            "move it away, or choose another folder with --data");
    if (trim(line_of(*version, 1)) != std::to_string(postgres_major))
        throw OperatorError(fmt::format("{} holds data of PostgreSQL {}, and this needs {}", options_.data.native(),
                                        line_of(*version, 1), postgres_major),
                            "move it away, or bring it over with pg_dumpall of that version");
    struct stat info{};
    if (::stat(options_.data.c_str(), &info) == 0 && info.st_uid != options_.user.uid)
        throw OperatorError(fmt::format("{} belongs to '{}', but the server would run as '{}'", options_.data.native(),
                                        user_name(info.st_uid), options_.user.name),
                            fmt::format("chown -R {} {}", options_.user.name, options_.data.native()));
}

void Postgres::initialise() {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(options_.data, ignored)) &&
        !std::filesystem::is_empty(options_.data, ignored))
        return check_folder();
    auto const folder = unfinished(options_.data);
    kill_running_in(folder, "postgres");
    remove_folder(folder);
    make_folder(folder, 0700, options_.user);
    auto const log_start = size_or_zero(log());
    auto initdb = program("initdb");
    initdb.passed_folder = folder;
    initdb.death_signal = SIGKILL;
    for (auto const* word : {"--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
                             "--auth-local=peer", "--auth-host=reject", "--no-instructions"})
        initdb.command.emplace_back(word);
    if (!options_.durable) initdb.command.emplace_back("--no-sync");
    if (auto const status = run_program(initdb, initdb_timeout); !status.success())
        throw failure("could not make its data folder", status, log_start, options_.data);
    auto const version = read_file(folder / "PG_VERSION", 16).value_or("");
    if (trim(line_of(version, 1)) != std::to_string(postgres_major))
        throw OperatorError(fmt::format("The PostgreSQL in {} is version {}, and this needs {}", programs_.native(),
                                        line_of(version, 1), postgres_major),
                            fmt::format("run script/setup, or apt-get install postgresql-{}", postgres_major));
    make_roles(folder);
    remove_folder(options_.data);  // an empty one
    if (::rename(folder.c_str(), options_.data.c_str()) < 0)
        throw file_error(options_.data, "cannot be put in place", errno);
    if (options_.durable) sync_folder(options_.data.parent_path());
}

void Postgres::make_roles(std::filesystem::path const& folder) {
    auto const log_start = size_or_zero(log());
    auto single = program("postgres");
    single.command = {(programs_ / "postgres").native(),
                      "--single",
                      "-D",
                      reached_by_descriptor,
                      "-c",
                      "exit_on_error=true",
                      "-c",
                      "log_checkpoints=off"};
    if (!options_.durable) single.command.emplace_back("-F");
    single.command.emplace_back("postgres");
    single.passed_folder = folder;
    single.death_signal = SIGKILL;
    single.input = first_statements(options_);
    if (auto const status = run_program(single, initdb_timeout); !status.success())
        throw failure("could not make its roles", status, log_start, options_.data);
}

// An earlier `up` that was killed may have left its server running (it gets a signal then, but may still be writing
// out), and a server that was killed may have left processes that still hold its shared memory.
void Postgres::clear_leftovers() {
    auto const recorded = read_postmaster_file(options_.data).pid;
    for (auto const& process : running_in(options_.data, "postgres")) {
        if (process.pid != recorded) continue;
        process.signal(SIGINT);
        process.signal(SIGCONT);
        if (process.ended_within(fast_stop)) break;
        process.signal(SIGQUIT);
        (void)process.ended_within(hard_stop);
    }
    kill_running_in(options_.data, "postgres");
    // Nobody is there, whatever these say: after a restart of the machine their ids may be somebody else's.
    std::error_code ignored;
    std::filesystem::remove(options_.data / "postmaster.pid", ignored);
    auto const socket = options_.sockets / fmt::format(".s.PGSQL.{}", port());
    std::filesystem::remove(socket, ignored);
    std::filesystem::remove(socket.native() + ".lock", ignored);
}

void Postgres::write_configuration() const {
    auto const put = [&](char const* name, std::string const& text) {
        auto const file = options_.data / name;
        if (read_file(file, text.size() + 1) == text) return;  // a later start need not wait for the disk
        write_whole(file, text, 0600, options_.user, options_.durable);
    };
    put("postgresql.conf", postgresql_conf(options_));
    put("pg_hba.conf", pg_hba_conf(options_));
    put("pg_ident.conf", pg_ident_conf(options_));
}

bool Postgres::is_ready() const {
    auto const file = read_postmaster_file(options_.data);
    return file.ready && file.pid == pid();
}

void Postgres::start(std::stop_token cancel) {
    if (child() && !ended_within(0ms)) return;
    forget();
    rotate_log();
    initialise();
    clear_leftovers();
    write_configuration();
    auto server = program("postgres");
    // No setting of PostgreSQL's: it lets `ps` show whose server this is.
    server.command.emplace_back("-c");
    server.command.push_back("buildplan.folder=" + options_.data.native());
    launch(server);
    wait_until([this] { return is_ready(); }, options_.start_timeout, cancel, options_.data);
}

void Postgres::stop() {
    if (!child()) return;
    bool const fast = options_.durable && !ended_within(0ms);
    if (fast) {
        child()->signal(SIGINT);
        child()->signal(SIGCONT);
        (void)child()->wait_for(fast_stop);
    }
    auto const status = child()->terminate(SIGQUIT, hard_stop);
    forget();
    if (!status.success()) kill_running_in(options_.data, "postgres");
}

std::string Postgres::url(std::string_view role, std::string_view database) const {
    return fmt::format("postgresql://{}@/{}?host={}&port={}", percent_encoded(role), percent_encoded(database),
                       percent_encoded(options_.sockets.native(), "/"), port());
}

std::string Postgres::tcp_url(std::string_view role, std::string_view database) const {
    return fmt::format("postgresql://{}:{}@127.0.0.1:{}/{}", percent_encoded(role), percent_encoded(options_.password),
                       port(), percent_encoded(database));
}

}  // namespace buildplan::local
