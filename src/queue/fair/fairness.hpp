// For the tests of this folder: the account that the scripts of the index keep, once more and in plain C++, so that its
// fairness can be looked at over simulated hours, and the scripts be compared with it.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace buildplan::queue::fair {

class Account {
public:
    struct Pick {
        int organization = 0, queue = 0;
        double charged = 0;
        int generation = 0;
    };

    void set_weight(int organization, double weight) { weight_[organization] = weight; }

    void signal(int organization, int queue) {
        generation_[{organization, queue}] = ++last_generation_;
        bool const was_ready =
            std::ranges::any_of(ready_, [&](auto const& each) { return each.second == organization; });
        ready_.insert({queue, organization});
        if (!was_ready) tag_[organization] = std::max(tag_[organization], floor_);
    }
    // The least that any ready organization has had.
    [[nodiscard]] std::optional<double> lowest() const {
        std::optional<double> low;
        for (auto const& [queue, organization] : ready_) low = std::min(low.value_or(1e300), tag_.at(organization));
        return low;
    }
    // Takes this one, which is among the least served. `mean` is what a turn of the queue usually takes.
    Pick pick(int organization, int queue) {
        floor_ = std::max(floor_, tag_[organization]);
        auto const mean = mean_.contains(queue) ? mean_[queue] : 0.05;
        tag_[organization] += mean / weight(organization);
        return {organization, queue, mean, generation_[{organization, queue}]};
    }
    // Any of the least served; `dice` decides among equals.
    std::optional<Pick> pick(unsigned dice) {
        auto const low = lowest();
        if (!low) return std::nullopt;
        std::vector<std::pair<int, int>> least;
        for (auto const& each : ready_) {
            if (tag_[each.second] == *low) least.push_back(each);
        }
        auto const [queue, organization] = least[dice % least.size()];
        return pick(organization, queue);
    }
    // False: refused.
    bool settle(Pick const& pick, double used, bool done_any, bool empty) {
        auto const member = std::pair(pick.organization, pick.queue);
        bool const known = generation_.contains(member);
        if (empty && known && generation_[member] != pick.generation) return false;
        tag_[pick.organization] += (used - pick.charged) / weight(pick.organization);
        if (done_any) {
            auto& mean = mean_.try_emplace(pick.queue, used).first->second;
            mean += (used - mean) / 16;
        }
        if (empty && known) {
            ready_.erase({pick.queue, pick.organization});
            generation_.erase(member);
        }
        return true;
    }
    [[nodiscard]] bool ready(int organization, int queue) const { return ready_.contains({queue, organization}); }
    [[nodiscard]] double tag(int organization) const { return tag_.at(organization); }
    [[nodiscard]] double weight(int organization) const {
        auto const found = weight_.find(organization);
        return found == weight_.end() ? 1 : found->second;
    }

private:
    std::set<std::pair<int, int>> ready_;  // queue, organization
    std::map<int, double> tag_, weight_, mean_;
    std::map<std::pair<int, int>, int> generation_;
    double floor_ = 0;
    int last_generation_ = 0;
};

}  // namespace buildplan::queue::fair
