#include "api/limiter.hpp"

#include "core/time.hpp"

namespace buildplan::api {

task<std::optional<Allowance>> FixedWindow::count(Principal const& principal, Route const&) {
    auto window = redis::RateWindow::at(now(), principal.organization_text(), "api");
    auto const count = co_await counter_.count(std::move(window));
    co_return Allowance{.limit = limit_, .remaining = limit_ - count.calls, .resets_in = count.resets_in};
}

}  // namespace buildplan::api
