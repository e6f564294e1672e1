#include "queue/fair/signals.hpp"

#include <algorithm>

namespace buildplan::queue::fair {

Signals::Signals(redis::Client& client, std::string const& slot) {
    for (auto const& lane : lanes()) lanes_.emplace_back(client, lane, lane.queues, slot);
}

task<> Signals::signal(std::vector<Member> members) {
    for (auto& lane : lanes_) {
        std::vector<Member> of_lane;
        for (auto const& member : members) {
            if (std::ranges::find(lane.lane().queues, member.queue) != lane.lane().queues.end())
                of_lane.push_back(member);
        }
        co_await lane.signal(std::move(of_lane));
    }
}

task<> Signals::admit(std::vector<Admission> admissions) {
    for (auto& lane : lanes_) co_await lane.admit(admissions);
}

}  // namespace buildplan::queue::fair
