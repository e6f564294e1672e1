// Which statement was too slow for the shared lane lately, and for whom: the same list may be quick for one
// organization and slow for the one with a hundred times the rows. Such a one goes straight to the heavy lane for a
// minute, instead of blocking a shared connection each time until its timeout. Bounded; the oldest is forgotten first.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_map>

namespace buildplan::postgres::detail {

class SlowStatements {
public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] bool contains(std::string_view statement, std::string_view scope, Clock::time_point now) const {
        if (until_.empty()) return false;
        auto const found = until_.find(key(statement, scope));
        return found != until_.end() && found->second > now;
    }
    void add(std::string_view statement, std::string_view scope, Clock::time_point now) {
        auto const id = key(statement, scope);
        if (until_.insert_or_assign(id, now + remembered).second) order_.push_back(id);
        if (order_.size() <= most) return;
        until_.erase(order_.front());
        order_.pop_front();
    }

private:
    static constexpr auto remembered = std::chrono::minutes{1};
    static constexpr std::size_t most = 1000;

    // Two that share a hash share the heavy lane for a minute: no harm.
    static std::size_t key(std::string_view statement, std::string_view scope) noexcept {
        return std::hash<std::string_view>{}(statement) * 31 + std::hash<std::string_view>{}(scope);
    }

    std::unordered_map<std::size_t, Clock::time_point> until_;
    std::deque<std::size_t> order_;
};

}  // namespace buildplan::postgres::detail
