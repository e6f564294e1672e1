// Script: a Lua script and its SHA-1. A call is sent as EVALSHA; the first on each connection, and one that Redis
// answers with NOSCRIPT (somebody flushed its scripts), goes as EVAL. The script outlives the clients that call it:
// it is made once, at the start.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "redis/command.hpp"

namespace buildplan::redis {

class Script {
public:
    explicit Script(std::string source);
    Script(Script const&) = delete;
    Script& operator=(Script const&) = delete;

    [[nodiscard]] std::string const& source() const noexcept { return source_; }
    [[nodiscard]] std::string const& sha1() const noexcept { return sha1_; }  // 40 hexadecimal digits

    // `script.call({key}, 5, "x")`. In a cluster all keys hash to one slot.
    template <class... Args>
    [[nodiscard]] Command call(std::initializer_list<std::string_view> keys, Args const&... args) const {
        auto made = call(std::span(keys.begin(), keys.size()));
        (made.arg(args), ...);
        return made;
    }
    [[nodiscard]] Command call(std::span<std::string_view const> keys) const;
    [[nodiscard]] Command call(std::span<std::string const> keys) const;

private:
    std::string source_, sha1_;
};

}  // namespace buildplan::redis
