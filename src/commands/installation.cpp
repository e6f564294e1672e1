#include "commands/installation.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "commands/version.hpp"
#include "core/operator_error.hpp"
#include "features/identity/api_key.hpp"
#include "features/identity/service.hpp"
#include "postgres/migrations.hpp"
#include "postgres/roles.hpp"

namespace buildplan::commands {
namespace {

constexpr std::uintmax_t large_log = 64u << 20;

// Progress for a person: on the terminal, not in the log.
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
    fmt::print("{}\n", fmt::format(text, std::forward<Args>(args)...));
    std::fflush(stdout);
}

int open_log(std::filesystem::path const& path) {
    std::error_code ignored;
    if (std::filesystem::file_size(path, ignored) > large_log && !ignored)
        std::filesystem::rename(path, path.string() + ".1", ignored);
    int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        throw OperatorError(fmt::format("{} cannot be opened", path.native()),
                            "check that its folder can be written and has room");
    return fd;
}

local::PostgresOptions postgres_options(local::DataFolder const& folder, UpOptions const& options,
                                        Settings const& settings) {
    auto out = folder.postgres();
    // Both roles of every shard may open all their lanes, and an operator still gets in.
    auto const& each = settings.postgres;
    auto const lanes =
        2 * each.shared_connections + each.writing_connections + each.exclusive_connections + each.heavy_connections;
    out.settings["max_connections"] =
        std::to_string(std::max(100u, 20 + 2 * lanes * Application::shard_count(settings)));
    out.search_path = program_search_path();
    if (options.postgres_port) {
        out.tcp_port = options.postgres_port;
        out.password = folder.secret("postgres");
    }
    return out;
}

local::RedisOptions redis_options(local::DataFolder const& folder, local::RedisKind kind) {
    auto out = folder.redis(kind);
    out.search_path = program_search_path();
    return out;
}

// A secret that only the one who runs `up` may read, written whole or not at all.
void write_key(std::filesystem::path const& path, std::string const& key) {
    auto const temporary = path.string() + ".new";
    ::unlink(temporary.c_str());
    int const fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    auto const line = key + "\n";
    bool const written =
        fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!written || std::rename(temporary.c_str(), path.c_str()) != 0) {
        throw OperatorError(fmt::format("{} cannot be written", path.native()),
                            "check that its folder can be written and has room");
    }
}

std::string read_key(std::filesystem::path const& path) {
    std::ifstream file(path);
    std::string key;
    if (!std::getline(file, key) || !identity::kind_of_key(key)) {
        throw OperatorError(fmt::format("{} is not an API key", path.native()),
                            "remove the file to be given a new one");
    }
    return key;
}

}  // namespace

Installation::Installation(UpOptions const& options)
    : options_(options),
      settings_(options.settings.load()),
      listeners_(net::Listener::open(settings_.http.address, settings_.http.port, Application::shard_count(settings_))),
      api_(fmt::format(
          "http://{}:{}",
          settings_.http.address == "0.0.0.0" || settings_.http.address == "::" ? "127.0.0.1" : settings_.http.address,
          listeners_.front().port())),
      folder_(options.data),
      log_file_(open_log(folder_.log("buildplan"))),
      sink_(std::make_unique<LogSink>(log_file_, settings_.log.format, settings_.log.level)),
      log_(*sink_),
      postgres_(postgres_options(folder_, options, settings_)),
      queue_(redis_options(folder_, local::RedisKind::queue)),
      cache_(redis_options(folder_, local::RedisKind::cache)),
      servers_({&postgres_, &queue_, &cache_}, [this](local::Incident const& incident) { report(incident); }) {}

Installation::~Installation() {
    application_.reset();
    servers_.stop();
    sink_.reset();
    if (log_file_ >= 0) ::close(log_file_);
}

void Installation::report(local::Incident const& incident) const {
    log_.warning(incident.line, {{"server", incident.server}, {"restarted", incident.restarted}});
    std::fprintf(stderr, "%s\n", incident.line.c_str());
}

void Installation::start() {
    bool const first = !std::filesystem::exists(folder_.path() / "key");
    if (first) tell("Setting up PostgreSQL and Redis in {} ...", options_.data.native());
    servers_.start();

    postgres::bootstrap_roles(postgres_.url(local::superuser_role));
    auto const report = postgres::migrate(postgres_.url(local::owner_role));
    if (!report.applied.empty()) log_.info("migrated", {{"from", report.version_before}, {"to", report.version}});
    if (!report.applied.empty() && report.version_before > 0)
        tell("Brought the schema from {} to {}.", report.version_before, report.version);

    settings_.postgres.app_url = postgres_.url(local::app_role);
    settings_.postgres.system_url = postgres_.url(local::system_role);
    settings_.redis.queue_url = queue_.url();
    settings_.redis.cache_url = cache_.url();
    if (settings_.api.secret.empty()) settings_.api.secret = folder_.secret("api");
    application_ = std::make_unique<Application>(settings_, Roles{}, std::move(listeners_), log_);
    application_->start();
    open_first_organization();
    application_->print_letters(settings_.http.public_url.empty() ? api_ : settings_.http.public_url,
                                [](std::string const& line) { tell("{}", line); });
    folder_.write_endpoints({.api = api_,
                             .postgres_owner = postgres_.url(local::owner_role),
                             .postgres_app = settings_.postgres.app_url,
                             .postgres_system = settings_.postgres.system_url,
                             .redis_queue = settings_.redis.queue_url,
                             .redis_cache = settings_.redis.cache_url});
    log_.info("started", {{"version", version}, {"api", api_}, {"schema", report.version}});
}

void Installation::open_first_organization() {
    // The key is written down before the database knows it: a crash in between leaves nothing that the next start does
    // not put right.
    auto const path = folder_.path() / "key";
    if (!std::filesystem::exists(path)) write_key(path, identity::make_key(identity::KeyKind::service));
    auto const key = read_key(path);
    application_->run(
        [&key](api::Shard& shard) { return identity::open_first_organization(shard.system, shard.postgres, key); });
}

void Installation::announce() const {
    auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    auto const folder = options_.data.native();
    tell("BuildPlan {} is ready after {:.1f} s.\n", version, took);
    tell("  API         {}", api_);
    tell("  Reference   {}/docs", api_);
    tell("  Your key    {}/key", folder);
    tell("  Logs        {}/logs/", folder);
    tell("\nTry it:\n  curl -H \"Authorization: Bearer $(cat {}/key)\" {}/v1/workspaces\n", folder, api_);
    tell("Ctrl-C stops everything in order.");
}

void Installation::stop() {
    tell("Stopping ...");
    log_.info("stopping");
    application_->stop();
    application_.reset();
    servers_.stop();
    log_.info("stopped");
    tell("Stopped.");
}

}  // namespace buildplan::commands
