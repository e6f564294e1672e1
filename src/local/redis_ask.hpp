// One question to a local Redis: an inline command and its single answer (RESP's "inline commands"). Blocking and
// bounded; enough to see whether a server is there. Everything else speaks through src/redis.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan::local {

struct RedisAddress {
    std::filesystem::path socket;  // or, when empty,
    std::uint16_t port = 0;        // on 127.0.0.1
};

// The answer: a status or an integer with its first character ("+PONG", "-LOADING ...", ":1"), or the content of a bulk
// string. Nothing when nobody answers in time. `command` has no line break and no blank inside a word.
std::optional<std::string> ask_redis(RedisAddress const& address, std::string_view command,
                                     std::chrono::milliseconds timeout = std::chrono::seconds{1});

}  // namespace buildplan::local
