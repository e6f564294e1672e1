#include "api/route_metrics.hpp"

#include <algorithm>

namespace buildplan::api {

RouteMetrics::OfRoute RouteMetrics::make(metrics::Registry& registry, std::string_view route, std::string_view method) {
    constexpr std::array<std::string_view, 5> classes{"1xx", "2xx", "3xx", "4xx", "5xx"};
    OfRoute made;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        made.by_class[i] = &registry.counter("buildplan_http_requests_total", "Requests answered, by class of status.",
                                             {{"route", route}, {"method", method}, {"status", classes[i]}});
    }
    made.duration = &registry.histogram("buildplan_http_request_duration_seconds",
                                        "From the first byte of the request to the last byte of its answer.",
                                        {{"route", route}, {"method", method}});
    return made;
}

RouteMetrics::RouteMetrics(metrics::Registry& registry, Router const& router)
    : in_flight_(&registry.gauge("buildplan_http_requests_in_flight", "Requests that a handler is at work on.")) {
    routes_.reserve(router.entries().size() + 1);
    for (auto const& entry : router.entries()) {
        routes_.push_back(make(registry, entry.route->path, to_text(entry.route->method)));
    }
    routes_.push_back(make(registry, "unmatched", "any"));
}

void RouteMetrics::answered(RouteEntry const* entry, int status,
                            std::chrono::steady_clock::duration duration) noexcept {
    auto const& route = entry ? routes_[entry->number] : routes_.back();
    route.by_class[static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1)]->add();
    route.duration->observe(std::chrono::duration<double>(duration).count());
}

}  // namespace buildplan::api
