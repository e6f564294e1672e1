#include "queue/fair/lane.hpp"

#include <algorithm>

namespace buildplan::queue::fair {

std::span<Lane const> lanes() {
    static auto const all = std::to_array<Lane>({
        {.name = "work", .queues = {"agent-jobs", "github", "documents", "billing"}},
        {.name = "messages", .queues = {"email", "webhook", "notifications"}},
    });
    return all;
}

Lane const* lane_of(std::string_view queue) {
    for (auto const& lane : lanes()) {
        if (std::ranges::find(lane.queues, queue) != lane.queues.end()) return &lane;
    }
    return nullptr;
}

}  // namespace buildplan::queue::fair
