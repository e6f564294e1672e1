// DataFolder: the one folder in which `buildplan up` keeps everything (.buildplan/ or --data DIR). While the object
// lives, no other process has the folder: a lock that the kernel drops with the process, however that ends.
//
//   VERSION                     the format, a number
//   lock                        held while in use; says which process
//   postgres/ redis-queue/ redis-cache/    the servers' data, belonging to the servers' user
//   run/endpoints.json          where things are, for scripts; there while `up` serves
//   run/sockets/                the servers' unix sockets
//   logs/ secrets/ storage/     belonging to us alone
//
// The folder is 0700. When the servers run as another user (we are root then), it is 0710 and of that user's group: the
// servers may pass through to what is theirs and see nothing else; who can become that user could read their data
// anyway. Throws OperatorError: in use, another format, not ours, disk (nearly) full.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "local/fd.hpp"
#include "local/postgres.hpp"
#include "local/redis.hpp"
#include "local/server_user.hpp"

namespace buildplan::local {

struct Endpoints {
    std::string api;
    std::string postgres_owner, postgres_app, postgres_system;
    std::string redis_queue, redis_cache;
};

class DataFolder {
public:
    static constexpr int format = 1;
    static constexpr std::uint64_t least_free = 200'000'000;

    explicit DataFolder(std::filesystem::path const& folder, ServerUser user = server_user(),
                        std::uint64_t minimum_free = least_free);
    ~DataFolder();  // takes endpoints.json away
    DataFolder(DataFolder const&) = delete;
    DataFolder& operator=(DataFolder const&) = delete;

    [[nodiscard]] std::filesystem::path const& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path storage() const { return path_ / "storage"; }
    [[nodiscard]] std::filesystem::path log(std::string_view name) const;
    [[nodiscard]] std::filesystem::path const& sockets() const noexcept { return sockets_; }

    // The servers of this folder, to be changed further by settings.
    [[nodiscard]] PostgresOptions postgres() const;
    [[nodiscard]] RedisOptions redis(RedisKind kind) const;

    // A random secret of that name (base64url of 32 bytes), made at its first use and then the same for ever.
    [[nodiscard]] std::string secret(std::string_view name) const;
    void write_endpoints(Endpoints const& endpoints) const;

private:
    void check_content() const;
    void lock();
    void check_format() const;

    std::filesystem::path path_;
    std::filesystem::path sockets_;
    ServerUser user_;
    Fd lock_;
};

}  // namespace buildplan::local
