#include "local/data_folder.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <thread>

#include "core/random.hpp"
#include "core/text.hpp"
#include "local/files.hpp"
#include "local/socket_folder.hpp"

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t secret_bytes = 32;
// A process that was killed holds its lock until the kernel has taken it apart.
constexpr auto lock_patience = 500ms;

std::filesystem::path data_path(std::filesystem::path const& folder) {
    std::error_code error;
    auto const full = std::filesystem::absolute(folder, error);
    auto path = std::filesystem::weakly_canonical(full, error);
    if (error) throw file_error(full, "cannot be looked at", error.value());
    if (!path.has_filename()) path = path.parent_path();  // was written with a slash at its end
    for (unsigned char const c : path.native())
        if (c < ' ')
            throw OperatorError("The name of the data folder holds a control character", "choose another with --data");
    return path;
}

}  // namespace

DataFolder::DataFolder(std::filesystem::path const& folder, ServerUser user, std::uint64_t minimum_free)
    : path_(data_path(folder)), user_(std::move(user)) {
    check_content();
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    if (error) throw file_error(path_, "cannot be made", error.value());
    auto const make = [&](std::filesystem::path const& name) {
        if (user_.is_other())
            make_shared_folder(name, 0710, user_.gid);
        else
            make_folder(name, 0700);
    };
    make(path_);
    lock();
    require_free(path_, minimum_free);
    check_format();
    make(path_ / "run");
    for (auto const* own : {"logs", "secrets", "storage"}) make_folder(path_ / own, 0700);
    sockets_ = make_socket_folder(path_ / "run" / "sockets", user_);
    std::filesystem::remove(path_ / "run" / "endpoints.json", error);  // of a run that was killed
}

DataFolder::~DataFolder() {
    std::error_code ignored;
    std::filesystem::remove(path_ / "run" / "endpoints.json", ignored);
}

// Before anything is written: --data must not turn somebody's home into a data folder.
void DataFolder::check_content() const {
    struct stat info{};
    if (::stat(path_.c_str(), &info) < 0) {
        if (errno == ENOENT) return;
        throw file_error(path_, "cannot be looked at", errno);
    }
    if (!S_ISDIR(info.st_mode)) throw file_error(path_, "cannot be a data folder", ENOTDIR);
    auto const is_ours = std::filesystem::exists(path_ / "VERSION");
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(path_, error);
         !error && !is_ours && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
        // What a start that was killed at once has left.
        auto const name = entry->path().filename();
        if (name != "lock" && name != "VERSION.new")
            throw OperatorError(fmt::format("{} is not empty and not a data folder of BuildPlan", path_.native()),
                                "choose another folder with --data");
    }
    if (error) throw file_error(path_, "cannot be looked at", error.value());
    if (is_ours && info.st_uid != ::geteuid())
        throw OperatorError(fmt::format("{} belongs to '{}'", path_.native(), user_name(info.st_uid)),
                            "run as that user, or choose another folder with --data");
}

void DataFolder::lock() {
    auto const file = path_ / "lock";
    lock_ = Fd(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock_) throw file_error(file, "cannot be opened", errno);
    auto const until = std::chrono::steady_clock::now() + lock_patience;
    while (::flock(lock_.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) throw file_error(file, "cannot be locked", errno);
        if (std::chrono::steady_clock::now() > until) {
            auto const holder = std::string(trim(read_file(file, 32).value_or("")));
            throw OperatorError(
                fmt::format("{} is in use by another buildplan ({})", path_.native(),
                            holder.empty() ? "process unknown" : "process " + holder.substr(0, holder.find('\n'))),
                "stop that one, or choose another folder with --data");
        }
        std::this_thread::sleep_for(10ms);
    }
    auto const me = fmt::format("{}\n", ::getpid());
    if (::ftruncate(lock_.get(), 0) < 0 || ::pwrite(lock_.get(), me.data(), me.size(), 0) < 0)
        throw file_error(file, "cannot be written", errno);
}

void DataFolder::check_format() const {
    auto const file = path_ / "VERSION";
    auto const content = read_file(file, 64);
    if (!content) {
        if (std::filesystem::exists(file)) throw file_error(file, "cannot be read", EACCES);
        return write_whole(file, fmt::format("{}\n", format), 0600);
    }
    auto const found = trim(std::string_view(*content).substr(0, content->find('\n')));
    if (found == std::to_string(format)) return;
    throw OperatorError(
        fmt::format("{} has the format '{}', and this buildplan reads {}", path_.native(), found, format),
        "use the buildplan that made it, or choose another folder with --data");
}

std::filesystem::path DataFolder::log(std::string_view name) const {
    return path_ / "logs" / fmt::format("{}.log", name);
}

PostgresOptions DataFolder::postgres() const {
    PostgresOptions options;
    options.data = path_ / "postgres";
    options.sockets = sockets_;
    options.log = log("postgres");
    options.user = user_;
    options.password = secret("postgres");
    return options;
}

RedisOptions DataFolder::redis(RedisKind kind) const {
    auto const* const name = kind == RedisKind::queue ? "redis-queue" : "redis-cache";
    RedisOptions options;
    options.kind = kind;
    options.data = path_ / name;
    options.socket = sockets_ / fmt::format("{}.sock", name);
    options.log = log(name);
    options.user = user_;
    return options;
}

std::string DataFolder::secret(std::string_view name) const {
    auto const file = path_ / "secrets" / name;
    if (auto const found = read_file(file, 1024)) return std::string(trim(found->substr(0, found->find('\n'))));
    auto const made = base64url(random_bytes(secret_bytes));
    write_whole(file, made + "\n", 0600);
    return made;
}

void DataFolder::write_endpoints(Endpoints const& endpoints) const {
    boost::json::value const content = {
        {"api", endpoints.api},
        {"postgres",
         {{"owner", endpoints.postgres_owner}, {"app", endpoints.postgres_app}, {"system", endpoints.postgres_system}}},
        {"redisQueue", endpoints.redis_queue},
        {"redisCache", endpoints.redis_cache}};
    write_whole(path_ / "run" / "endpoints.json", boost::json::serialize(content) + "\n", 0600);
}

}  // namespace buildplan::local
