// Problems on the wire (RFC 9457): the one place where they are written.
#pragma once

#include <span>
#include <string_view>

#include "core/problem.hpp"
#include "net/request.hpp"
#include "net/response.hpp"

namespace buildplan::api {

// Where the kinds of problems are explained; `type` is this and the code.
inline constexpr std::string_view problem_types = "/docs/problems#";

// application/problem+json with type, title, status, detail, instance, code, requestId and errors; WWW-Authenticate
// (RFC 6750) with 401, Retry-After where the problem has one, and never cached.
net::Response problem_response(Problem const& problem, net::Request const& request);

// A kind of problem that any route may answer with, for the reference pages.
struct ProblemKind {
    int status;
    std::string_view code;
    std::string_view meaning;
};
std::span<ProblemKind const> common_problems() noexcept;

}  // namespace buildplan::api
