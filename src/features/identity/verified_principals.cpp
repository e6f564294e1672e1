#include "features/identity/verified_principals.hpp"

namespace buildplan::identity {

std::shared_ptr<Principal const> VerifiedPrincipals::find(std::string_view hash, Clock::time_point now) {
    auto const found = by_hash_.find(hash);
    if (found == by_hash_.end()) return nullptr;
    auto const place = found->second;
    if (place->until <= now) {
        erase(place);
        return nullptr;
    }
    by_use_.splice(by_use_.begin(), by_use_, place);
    return place->principal;
}

void VerifiedPrincipals::keep(std::string hash, std::shared_ptr<Principal const> principal, Clock::time_point until) {
    if (auto const found = by_hash_.find(hash); found != by_hash_.end()) erase(found->second);
    by_use_.push_front({.hash = std::move(hash), .principal = std::move(principal), .until = until, .groups = {}});
    auto const place = by_use_.begin();
    by_hash_.emplace(place->hash, place);
    auto const& who = *place->principal;
    join(place, who.organization().value);
    if (who.user() && who.has_organization()) join(place, who.user()->value);
    if (who.session()) join(place, who.session()->value);
    if (who.api_key() && !who.session()) join(place, who.api_key()->value);
    if (by_use_.size() > most_) erase(std::prev(by_use_.end()));
}

void VerifiedPrincipals::join(Place entry, Uuid const& subject) {
    auto& group = by_subject_[subject];
    entry->groups[entry->group_count++] = {subject, group.insert(group.end(), entry)};
}

void VerifiedPrincipals::erase(Place entry) {
    for (std::size_t i = 0; i < entry->group_count; ++i) {
        auto const group = by_subject_.find(entry->groups[i].subject);
        group->second.erase(entry->groups[i].place);
        if (group->second.empty()) by_subject_.erase(group);
    }
    by_hash_.erase(entry->hash);
    by_use_.erase(entry);
}

void VerifiedPrincipals::forget(Uuid const& subject) {
    auto const group = by_subject_.find(subject);
    if (group == by_subject_.end()) return;
    auto const entries = group->second;
    for (auto const entry : entries) erase(entry);
}

void VerifiedPrincipals::forget_all() noexcept {
    by_subject_.clear();
    by_hash_.clear();
    by_use_.clear();
}

}  // namespace buildplan::identity
