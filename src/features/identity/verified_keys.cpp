#include "features/identity/verified_keys.hpp"

namespace buildplan::identity {

std::shared_ptr<Principal const> VerifiedKeys::find(std::string_view hash, Clock::time_point now) {
    auto const found = by_hash_.find(hash);
    if (found == by_hash_.end()) return nullptr;
    auto const place = found->second;
    if (place->until <= now) {
        by_hash_.erase(found);
        by_use_.erase(place);
        return nullptr;
    }
    by_use_.splice(by_use_.begin(), by_use_, place);
    return place->principal;
}

void VerifiedKeys::keep(std::string hash, std::shared_ptr<Principal const> principal, Clock::time_point until) {
    forget(hash);
    by_use_.push_front({std::move(hash), std::move(principal), until});
    by_hash_.emplace(by_use_.front().hash, by_use_.begin());
    if (by_use_.size() > most_) {
        by_hash_.erase(by_use_.back().hash);
        by_use_.pop_back();
    }
}

void VerifiedKeys::forget(std::string_view hash) {
    auto const found = by_hash_.find(hash);
    if (found == by_hash_.end()) return;
    auto const place = found->second;
    by_hash_.erase(found);
    by_use_.erase(place);
}

void VerifiedKeys::forget_all() noexcept {
    by_hash_.clear();
    by_use_.clear();
}

}  // namespace buildplan::identity
