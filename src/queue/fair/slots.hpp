// Slots: a job at a time each, in classes by tier as the contract has it. ENTERPRISE slots serve ENTERPRISE alone and
// are never lent; PRO slots are PRO's own pool and take what ENTERPRISE has too much of; shared slots serve FREE, and
// the others while FREE has nothing to do. Every tier that a process serves owns slots there, so none starves.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "queue/fair/tier.hpp"

namespace buildplan::queue::fair {

enum class SlotClass : std::uint8_t { shared, pro, enterprise };
inline constexpr std::size_t slot_classes = 3;
constexpr std::size_t index_of(SlotClass of) noexcept { return static_cast<std::size_t>(of); }

struct SlotCounts {
    std::array<std::size_t, slot_classes> of{};  // by class

    [[nodiscard]] std::size_t operator[](SlotClass which) const noexcept { return of[index_of(which)]; }
    [[nodiscard]] std::size_t sum() const noexcept { return of[0] + of[1] + of[2]; }
    friend bool operator==(SlotCounts const&, SlotCounts const&) = default;
};

// Shares `concurrency` slots (at least 1) out over the tiers that a process serves: half to the shared class, a quarter
// each to the others, at least one to each. With fewer slots than tiers all are shared.
SlotCounts share_out(std::size_t concurrency, std::span<Tier const> served);

// What a slot of this class serves, in the order of preference. Where a class has no slots of its own its tier is
// served in turns with the others, by `round`, so that one slot alone starves nobody.
std::vector<Tier> tiers_of(SlotClass of, SlotCounts const& counts, std::span<Tier const> served, std::size_t round);

// The classes whose slots may serve a tier, most fitting first.
std::span<SlotClass const> classes_for(Tier tier);

}  // namespace buildplan::queue::fair
