#include "queue/fair/slots.hpp"

#include <algorithm>

namespace buildplan::queue::fair {
namespace {

bool serves(std::span<Tier const> served, Tier tier) { return std::ranges::find(served, tier) != served.end(); }

}  // namespace

SlotCounts share_out(std::size_t concurrency, std::span<Tier const> served) {
    concurrency = std::max<std::size_t>(concurrency, 1);
    bool const free = serves(served, Tier::free), pro = serves(served, Tier::pro),
               enterprise = serves(served, Tier::enterprise);
    std::size_t const classes = std::size_t{free} + std::size_t{pro} + std::size_t{enterprise};
    SlotCounts counts;
    auto& [of_shared, of_pro, of_enterprise] = counts.of;
    if (concurrency < classes) {
        of_shared = concurrency;
        return counts;
    }
    if (!free) {  // no shared class: what is left over is PRO's, or ENTERPRISE's where it is alone
        of_enterprise = !enterprise ? 0 : pro ? std::max<std::size_t>(concurrency / 2, 1) : concurrency;
        of_pro = concurrency - of_enterprise;
        return counts;
    }
    of_enterprise = enterprise ? std::max<std::size_t>(concurrency / 4, 1) : 0;
    of_pro = pro ? std::max<std::size_t>(concurrency / 4, 1) : 0;
    of_shared = concurrency - of_enterprise - of_pro;
    return counts;
}

std::vector<Tier> tiers_of(SlotClass of, SlotCounts const& counts, std::span<Tier const> served, std::size_t round) {
    using enum Tier;
    std::vector<Tier> order;
    if (of == SlotClass::enterprise) order = {enterprise};
    if (of == SlotClass::pro) order = {pro, enterprise};
    if (of == SlotClass::shared) order = {free, pro, enterprise};
    std::erase_if(order, [&](Tier tier) { return !serves(served, tier); });
    bool const alone = counts.sum() == counts[SlotClass::shared];
    if (alone && !order.empty())
        std::ranges::rotate(order, order.begin() + static_cast<std::ptrdiff_t>(round % order.size()));
    return order;
}

std::span<SlotClass const> classes_for(Tier tier) {
    using enum SlotClass;
    static constexpr std::array for_free{shared};
    static constexpr std::array for_pro{pro, shared};
    static constexpr std::array for_enterprise{enterprise, pro, shared};
    switch (tier) {
        case Tier::free:
            return for_free;
        case Tier::pro:
            return for_pro;
        case Tier::enterprise:
            break;
    }
    return for_enterprise;
}

}  // namespace buildplan::queue::fair
