// LocalCopies: a shard's own copies of cache entries, bounded in bytes; the one that was not used for longest goes
// first. Only what holds for a moment belongs here. One shard's alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace buildplan::redis {

class LocalCopies {
public:
    using Clock = std::chrono::steady_clock;

    explicit LocalCopies(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    // What was put there: a value, or that there is none. Null when it is not there or too old. Valid until the next
    // call.
    std::optional<std::string> const* find(std::string_view key, Clock::time_point now);
    void put(std::string key, std::optional<std::string> value, Clock::time_point until);
    void erase(std::string_view key);
    void clear();
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t size() const noexcept { return copies_.size(); }

private:
    struct Copy {
        std::string key;
        std::optional<std::string> value;
        Clock::time_point until;
    };
    static std::size_t cost(Copy const& copy) noexcept;
    void remove(std::list<Copy>::iterator copy);

    std::size_t max_bytes_, bytes_ = 0;
    std::list<Copy> copies_;                                                  // last used first
    std::unordered_map<std::string_view, std::list<Copy>::iterator> by_key_;  // views of copies_
};

}  // namespace buildplan::redis
