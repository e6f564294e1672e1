// Redis: a private Redis on a unix socket, as one of two kinds. A `queue` keeps what it is given (`noeviction`, an
// append-only file written out every second; one that a crash cut short is loaded up to the cut) and refuses more than
// it has room for; a `cache` drops what was not used lately and keeps nothing on disk. The socket's folder is 0700 and
// is what protects it; with `port` it listens on 127.0.0.1 too, with the password where one is given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "local/programs.hpp"
#include "local/redis_ask.hpp"
#include "local/server.hpp"
#include "local/server_user.hpp"

namespace buildplan::local {

enum class RedisKind : std::uint8_t { queue, cache };

struct RedisOptions {
    RedisKind kind = RedisKind::queue;
    std::filesystem::path data;
    std::filesystem::path socket;                              // its folder exists and belongs to `user`
    std::filesystem::path log;                                 // its folder exists
    std::filesystem::path program;                             // "" finds it
    std::string search_path = std::string(usual_search_path);  // the caller's $PATH
    ServerUser user = server_user();
    std::optional<std::uint16_t> port;
    std::string password;
    std::uint64_t max_memory = 0;  // bytes; 0 is 1 GiB for a queue and 128 MiB for a cache
    bool durable = true;           // off: the kernel kills it when its starter dies. For tests
    std::vector<std::pair<std::string, std::string>> settings;           // redis.conf's words, above those built in
    std::chrono::milliseconds start_timeout = std::chrono::minutes{10};  // a long append-only file is loaded first
};

class Redis final : public Server {
public:
    explicit Redis(RedisOptions options);
    ~Redis() override;

    void start(std::stop_token cancel = {}) override;
    void stop() override;  // a queue writes out its file

    [[nodiscard]] RedisOptions const& options() const noexcept { return options_; }
    [[nodiscard]] RedisAddress address() const { return {options_.socket, 0}; }
    // "unix:/path/of/the.sock"; and "redis://127.0.0.1:6379", with the password when there is one.
    [[nodiscard]] std::string url() const { return "unix:" + options_.socket.native(); }
    [[nodiscard]] std::string tcp_url() const;

private:
    void clear_leftovers() const;
    [[nodiscard]] std::string configuration() const;

    RedisOptions options_;
    std::filesystem::path program_;
};

}  // namespace buildplan::local
