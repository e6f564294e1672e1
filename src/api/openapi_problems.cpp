#include "api/openapi_problems.hpp"

#include <algorithm>
#include <stdexcept>

#include "fmt/core.h"

namespace buildplan::api {
namespace {

namespace dom = boost::json;

ProblemKind common(std::string_view code, int status) {
    for (auto const& kind : common_problems()) {
        if (kind.code == code && kind.status == status) return kind;
    }
    throw std::logic_error(fmt::format("{} {} is no common problem", status, code));
}

std::string describe_all(std::vector<ProblemKind> const& kinds) {
    std::string text;
    for (auto const& kind : kinds) {
        if (!text.empty()) text += "\n";
        text += fmt::format("- `{}`: {}", kind.code, kind.meaning);
    }
    return text;
}

dom::object header_ref(std::string const& name) {
    return {{name, dom::object{{"$ref", "#/components/headers/" + name}}}};
}

dom::object response_of(int status, std::vector<ProblemKind> const& kinds) {
    dom::object response{{"description", describe_all(kinds)}};
    if (status == 429 || status == 503) response["headers"] = header_ref("Retry-After");
    if (status == 401) response["headers"] = header_ref("WWW-Authenticate");
    response["content"] = dom::object{
        {"application/problem+json", dom::object{{"schema", dom::object{{"$ref", "#/components/schemas/Problem"}}}}}};
    return response;
}

// A status alone may stand for several sets of problems, so the name is made of the codes.
std::string shared_name(std::vector<ProblemKind> const& kinds) {
    std::string name;
    for (auto const& kind : kinds) {
        bool raise = true;
        for (char const c : kind.code) {
            if (c == '-') {
                raise = true;
                continue;
            }
            name += raise ? static_cast<char>(c - 'a' + 'A') : c;
            raise = false;
        }
    }
    return name;
}

}  // namespace

std::map<int, std::vector<ProblemKind>> problems_of(Route const& route) {
    std::map<int, std::vector<ProblemKind>> all;
    auto const add = [&](int status, std::string_view code) { all[status].push_back(common(code, status)); };
    bool const is_open = route.access.kind == Access::Kind::anybody;
    add(400, "malformed");
    if (!route.sorts.empty()) add(400, "invalid-cursor");
    if (route.takes_idempotency_key()) {
        add(400, "invalid-idempotency-key");
        add(409, "idempotency-key-reused");
        add(409, "idempotency-in-progress");
    }
    if (!is_open) add(401, "unauthenticated");
    if (route.access.kind == Access::Kind::permission || route.access.kind == Access::Kind::installation)
        add(403, "forbidden");
    if (route.access.kind == Access::Kind::permission) {
        add(403, "organization-required");
        add(403, "organization-deleted");
    }
    if (route.path.find('{') != std::string_view::npos) add(404, "not-found");
    if (route.takes_if_match()) add(412, "precondition-failed");
    if (route.match_required) add(428, "precondition-required");
    if (route.body) {
        add(413, "body-too-large");
        add(415, "unsupported-media-type");
    }
    if (!is_open || route.body || route.query) add(422, "invalid");
    if (!is_open && !route.unlimited) add(429, "rate-limited");
    if (!is_open) {
        add(503, "unavailable");
        add(503, "timeout");
    }
    for (auto const& failure : route.failures) {
        all[failure.status].push_back({failure.status, failure.code, failure.description});
    }
    return all;
}

dom::object problem_responses(Route const& route, dom::object& shared) {
    dom::object responses;
    for (auto const& [status, kinds] : problems_of(route)) {
        auto& response = responses[std::to_string(status)];
        bool const own =
            std::ranges::any_of(route.failures, [&](Failure const& each) { return each.status == status; });
        if (own) {
            response = response_of(status, kinds);
            continue;
        }
        auto const name = shared_name(kinds);
        if (!shared.contains(name)) shared[name] = response_of(status, kinds);
        response = dom::object{{"$ref", "#/components/responses/" + name}};
    }
    return responses;
}

}  // namespace buildplan::api
