// Limiter: how many calls an organization may make. The pipeline asks it once for each authenticated call, before
// anything is done, and tells the caller where it stands: RateLimit-Limit, -Remaining, -Reset on every answer, 429 with
// Retry-After beyond.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "api/route.hpp"
#include "core/principal.hpp"
#include "redis/rate.hpp"
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

    // Nothing for whoever has no limit. Never throws for a Redis that is gone.
    virtual task<std::optional<Allowance>> count(Principal const& principal, Route const& route) = 0;
};

// So many calls an hour for every organization, counted in Redis, or here while it is gone.
class FixedWindow final : public Limiter {
public:
    FixedWindow(redis::RateCounter& counter, std::int64_t calls_per_hour) : counter_(counter), limit_(calls_per_hour) {}
    task<std::optional<Allowance>> count(Principal const& principal, Route const& route) override;

private:
    redis::RateCounter& counter_;
    std::int64_t limit_;
};

}  // namespace buildplan::api
