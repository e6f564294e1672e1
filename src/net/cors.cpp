#include "net/cors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace buildplan::net {

CorsPolicy::CorsPolicy(Cors cors) : cors_(std::move(cors)) {
    any_ = std::ranges::find(cors_.origins, "*") != cors_.origins.end();
    if (any_ && cors_.credentials) throw std::invalid_argument("CORS: any origin cannot be combined with credentials");
    if (cors_.credentials) answer_ += "Access-Control-Allow-Credentials: true\r\n";
    if (!cors_.exposed_headers.empty()) {
        answer_ += fmt::format("Access-Control-Expose-Headers: {}\r\n", fmt::join(cors_.exposed_headers, ", "));
    }
}

bool CorsPolicy::allows(std::string_view origin) const noexcept {
    return !origin.empty() && (any_ || std::ranges::find(cors_.origins, origin) != cors_.origins.end());
}

void CorsPolicy::append(std::string& out, std::string_view origin) const {
    if (!on()) return;
    if (!any_) out += "Vary: Origin\r\n";
    if (!allows(origin)) return;
    out += "Access-Control-Allow-Origin: ";
    out += any_ ? "*" : origin;
    out += "\r\n";
    out += answer_;
}

void CorsPolicy::answer_preflight(Response& response, std::string_view origin, std::string_view methods) const {
    if (!allows(origin)) return;
    if (!any_) response.header("Vary", "Origin");
    response.header("Access-Control-Allow-Origin", any_ ? "*" : origin).header("Access-Control-Allow-Methods", methods);
    if (cors_.credentials) response.header("Access-Control-Allow-Credentials", "true");
    if (!cors_.request_headers.empty()) {
        response.header("Access-Control-Allow-Headers", fmt::format("{}", fmt::join(cors_.request_headers, ", ")));
    }
    response.header("Access-Control-Max-Age", fmt::format("{}", cors_.max_age.count()));
}

}  // namespace buildplan::net
