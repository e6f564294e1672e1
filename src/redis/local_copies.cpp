#include "redis/local_copies.hpp"

namespace buildplan::redis {

// With what the two containers take besides, about.
std::size_t LocalCopies::cost(Copy const& copy) noexcept {
    return 160 + copy.key.size() + (copy.value ? copy.value->size() : 0);
}

std::optional<std::string> const* LocalCopies::find(std::string_view key, Clock::time_point now) {
    auto const found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    auto const copy = found->second;
    if (copy->until <= now) {
        remove(copy);
        return nullptr;
    }
    copies_.splice(copies_.begin(), copies_, copy);
    return &copy->value;
}

void LocalCopies::put(std::string key, std::optional<std::string> value, Clock::time_point until) {
    erase(key);
    copies_.push_front({std::move(key), std::move(value), until});
    by_key_.emplace(copies_.front().key, copies_.begin());
    bytes_ += cost(copies_.front());
    while (bytes_ > max_bytes_ && !copies_.empty()) remove(std::prev(copies_.end()));
}

void LocalCopies::erase(std::string_view key) {
    if (auto const found = by_key_.find(key); found != by_key_.end()) remove(found->second);
}

void LocalCopies::clear() {
    by_key_.clear();
    copies_.clear();
    bytes_ = 0;
}

void LocalCopies::remove(std::list<Copy>::iterator copy) {
    bytes_ -= cost(*copy);
    by_key_.erase(copy->key);
    copies_.erase(copy);
}

}  // namespace buildplan::redis
