#include "api/http_date.hpp"

#include <chrono>
#include <stdexcept>

#include "core/time.hpp"
#include "fmt/core.h"
#include "net/head_writer.hpp"

namespace buildplan::api {
namespace {

std::chrono::sys_seconds midnight(std::string_view date) {
    auto const time = parse_rfc3339(std::string(date) + "T00:00:00Z");
    if (!time) throw std::logic_error(fmt::format("\"{}\" is no date", date));
    return std::chrono::floor<std::chrono::seconds>(*time);
}

}  // namespace

std::string deprecation_header(std::string_view date) {
    return date.empty() ? std::string{} : fmt::format("@{}", midnight(date).time_since_epoch().count());
}

std::string sunset_header(std::string_view date) {
    return date.empty() ? std::string{} : net::http_date(midnight(date));
}

}  // namespace buildplan::api
