// Limiter: how many calls an organization may make. The pipeline asks it once for each authenticated call, before
// anything is done, and tells the caller where it stands: RateLimit-Limit, -Remaining, -Reset on every answer, 429 with
// Retry-After beyond. features/billing has the one of the product.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "api/route.hpp"
#include "core/principal.hpp"
#include "runtime/task.hpp"

namespace buildplan::api {

struct Allowance {
    std::int64_t limit;
    std::int64_t remaining;  // below 0: this call is one too many
    std::chrono::seconds resets_in;
};

class Limiter {
public:
    Limiter() = default;
    Limiter(Limiter const&) = delete;
    Limiter& operator=(Limiter const&) = delete;
    virtual ~Limiter() = default;

    // Counts the call, also as what the route says it counts as; of several limits the one that is nearest. Nothing for
    // whoever has no limit. Never throws for a Redis that is gone.
    virtual task<std::optional<Allowance>> count(Principal const& principal, Route const& route) = 0;

    // The call was let in and came to nothing (refused, failed, or only repeated an answer): it is not what its route
    // counts as. It stays a call.
    virtual void give_back(Principal const&, Route const&) {}
};

}  // namespace buildplan::api
