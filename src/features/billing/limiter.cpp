#include "features/billing/limiter.hpp"

#include <algorithm>

#include "core/problem.hpp"
#include "core/time.hpp"
#include "postgres/error.hpp"

namespace buildplan::billing {
namespace {

// A count and what it is held against.
struct Counted {
    redis::RateWindow window;
    std::int64_t limit;
};

std::vector<Counted> counted(Limits const& limits, Principal const& principal, api::Route const& route,
                             Timestamp time) {
    std::vector<Counted> all;
    all.reserve(2);
    auto const add = [&](std::string_view name, std::int64_t limit) {
        if (limit != unlimited)
            all.push_back({redis::RateWindow::at(time, principal.organization_text(), name), limit});
    };
    add("api", limits.api);
    if (!route.counted_as.empty()) add(route.counted_as, limit_named(limits, route.counted_as).value_or(unlimited));
    return all;
}

}  // namespace

task<std::optional<api::Allowance>> TierLimiter::count(Principal const& principal, api::Route const& route) {
    auto const time = now();
    std::optional<api::Allowance> nearest;
    if (enforces_) {
        auto const limits = co_await limits_for(principal);
        auto const all = counted(limits, principal, route, time);
        std::vector<redis::RateWindow> windows;
        windows.reserve(all.size());
        for (auto const& each : all) windows.push_back(each.window);
        std::vector<redis::RateCounter::Count> counts;
        if (!windows.empty()) counts = co_await counter_.count(std::move(windows));
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const remaining = all[i].limit - counts[i].calls;
            if (!nearest || remaining < nearest->remaining)
                nearest = {.limit = all[i].limit, .remaining = remaining, .resets_in = counts[i].resets_in};
        }
        if (nearest && nearest->remaining < 0) {
            give_back(principal, route);
            co_return nearest;
        }
    }
    if (principal.has_organization()) meter_.add(principal.organization(), time);
    co_return nearest;
}

void TierLimiter::give_back(Principal const& principal, api::Route const& route) {
    if (!enforces_ || route.counted_as.empty()) return;
    auto const settings = settings_.known(principal.organization());
    auto const limits = settings ? settings->limits() : limits_of(Tier::free);
    if (limit_named(limits, route.counted_as).value_or(unlimited) == unlimited) return;
    counter_.take_back(redis::RateWindow::at(now(), principal.organization_text(), route.counted_as));
}

task<Limits> TierLimiter::limits_for(Principal const& principal) {
    try {
        auto const settings = co_await settings_.get(principal);
        co_return settings->limits();
    } catch (postgres::Error const&) {
        co_return limits_of(Tier::free);
    } catch (redis::Unavailable const&) {
        co_return limits_of(Tier::free);
    } catch (Problem const&) {
        co_return limits_of(Tier::free);
    }
}

}  // namespace buildplan::billing
