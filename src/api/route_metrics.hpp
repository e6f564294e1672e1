// What a shard measures of each route: buildplan_http_requests_total by route, method and class of status,
// buildplan_http_request_duration_seconds, and how many requests are in flight. The label `route` is the pattern of the
// path, never the path, so that there are as many series as rows; what no row matched is "unmatched".
#pragma once

#include <array>
#include <chrono>
#include <vector>

#include "api/router.hpp"
#include "core/metrics.hpp"

namespace buildplan::api {

class RouteMetrics {
public:
    RouteMetrics(metrics::Registry& registry, Router const& router);

    void begun() noexcept { in_flight_->add(1); }
    void ended() noexcept { in_flight_->add(-1); }
    // `entry` is nothing for what no row matched.
    void answered(RouteEntry const* entry, int status, std::chrono::steady_clock::duration duration) noexcept;

private:
    struct OfRoute {
        std::array<metrics::Counter*, 5> by_class{};  // 1xx to 5xx
        metrics::Histogram* duration = nullptr;
    };
    static OfRoute make(metrics::Registry& registry, std::string_view route, std::string_view method);

    std::vector<OfRoute> routes_;  // by number, then the unmatched
    metrics::Gauge* in_flight_;
};

}  // namespace buildplan::api
