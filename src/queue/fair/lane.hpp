// Lane: queues whose work is weighed together. An organization has one account in a lane, whichever of its queues it
// uses, so it gains nothing by spreading its work over them. Lanes know nothing of each other: an hour of agents does
// not hold up the same organization's mail. Processes that serve one lane agree on its queues; each may serve a part.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace buildplan::queue::fair {

struct Lane {
    std::string name;
    std::vector<std::string> queues;
};

// The lanes of the product. Long work in the one, what somebody waits for in the other.
std::span<Lane const> lanes();
// The lane of a queue; nothing for one that there is not.
Lane const* lane_of(std::string_view queue);

}  // namespace buildplan::queue::fair
