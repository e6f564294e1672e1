// Settings: everything about a process that an operator decides. Read once at the start, from the command line, the
// environment (BUILDPLAN_HTTP_PORT) and a YAML file (http.port), in that order of precedence; then const. Whatever is
// wrong with any of them is reported at once, each with what would be right. Nothing else in the program reads the
// environment. Secret values are never shown.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/log.hpp"

namespace buildplan {

// A number of bytes, written like "64KiB" or "8MiB".
struct ByteSize {
    std::size_t bytes = 0;
};

// The defaults are the product's; what each means is said once, in the table in settings.cpp.
struct Settings {
    using Duration = std::chrono::milliseconds;

    struct Http {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8080;
        unsigned shards = 0;
        std::string public_url;
        std::vector<std::string> trusted_proxies, cors_origins;
        ByteSize max_head{16u << 10}, max_body{1u << 20};
        Duration head_timeout{10'000}, body_timeout{10'000}, write_timeout{20'000}, idle_timeout{75'000},
            total_timeout{60'000};
        unsigned max_connections = 10'000;
    } http;
    struct Shutdown {
        Duration ready_delay{0}, grace{20'000};
    } shutdown;
    struct Postgres {
        std::string app_url, system_url, owner_url;
        unsigned shared_connections = 2, pipeline_depth = 8, writing_connections = 8, exclusive_connections = 4,
                 heavy_connections = 2;
        bool prepared_statements = true;
        Duration fast_timeout{100}, statement_timeout{10'000}, heavy_timeout{60'000}, lock_timeout{3'000}, wait{2'000};
        unsigned max_waiting = 1000;
    } postgres;
    struct Redis {
        std::string queue_url, cache_url;
        Duration timeout{1'000};
    } redis;
    struct Cache {
        ByteSize local{4u << 20};
    } cache;
    struct Offload {
        unsigned threads = 0, queue = 1024;
    } offload;
    struct Api {
        bool rate_limits = true;
        std::string secret;
    } api;
    struct Work {
        unsigned concurrency = 16;
        std::vector<std::string> queues, tiers;
        Duration grace{2'000};
    } work;
    struct Tokens {
        Duration rotate_after{std::chrono::hours{90 * 24}};
    } tokens;
    struct LogTo {
        LogLevel level = LogLevel::info;
        LogFormat format = LogFormat::json;
    } log;
};

// What `config list` tells of one.
struct SettingInfo {
    std::string name, env, type, standard, value, meaning;
    bool secret = false;
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;

// The process's environment: what begins with BUILDPLAN_.
NamedValues environment();

// Where programs are looked for: $PATH; empty when it is not set.
std::string program_search_path();

struct LoadedSettings {
    Settings settings;
    std::vector<std::string> errors;  // one sentence each; the settings count only when there are none
};

// `file` may be empty. `overrides` are from the command line, by setting name.
LoadedSettings load_settings(NamedValues const& env, std::string const& file, NamedValues const& overrides = {});

// Every setting with its value in `settings`, secrets masked.
std::vector<SettingInfo> describe_settings(Settings const& settings);

}  // namespace buildplan
