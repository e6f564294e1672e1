#include "api/problem_response.hpp"

#include <string>

#include "core/json/writer.hpp"

namespace buildplan::api {
namespace {

constexpr ProblemKind kinds[] = {
    {400, "malformed", "The request cannot be read: bad JSON, a bad header, a bad query."},
    {400, "invalid-cursor", "The cursor belongs to another list, filter or order, or was changed."},
    {400, "invalid-idempotency-key", "Idempotency-Key is not 1 to 255 visible ASCII characters."},
    {401, "unauthenticated", "There is no token or key, or it is unknown, expired or revoked."},
    {403, "forbidden", "You are known, but lack the permission that the operation needs."},
    {403, "csrf", "You are signed in by cookie, and the request does not prove that it comes from us: X-CSRF-Token."},
    {403, "organization-required", "You work in no organization now; `POST /auth/switch-org` chooses one."},
    {403, "organization-deleted", "The organization is being deleted; an owner can restore it for 30 days."},
    {404, "not-found", "There is nothing here, or nothing that you may see; the two cannot be told apart."},
    {405, "method-not-allowed", "The path exists, but not with this method; Allow says which it has."},
    {408, "request-timeout", "The request took too long to arrive."},
    {409, "idempotency-key-reused", "The Idempotency-Key was used before with another request."},
    {409, "idempotency-in-progress", "A request with the same Idempotency-Key is still being worked on."},
    {412, "precondition-failed", "The resource has changed since the version that If-Match names."},
    {413, "body-too-large", "The body is larger than the operation takes."},
    {414, "target-too-long", "The URI is too long."},
    {415, "unsupported-media-type", "The body is not of the media type that the operation takes."},
    {417, "expectation-failed", "Of expectations only 100-continue is known."},
    {422, "invalid", "The request can be read, but some fields do not fit; `errors` names each."},
    {428, "precondition-required", "The operation wants If-Match with the ETag of the version that you saw."},
    {429, "rate-limited", "The organization has made too many calls; Retry-After says when to go on."},
    {431, "headers-too-large", "The headers are larger than the server takes."},
    {500, "internal", "Something went wrong on our side; the request id helps us find it."},
    {501, "not-implemented", "The server does not speak that part of HTTP."},
    {503, "unavailable", "The server cannot serve the request now; Retry-After says when to try again."},
    {503, "timeout", "The work took longer than it may; nothing was done."},
    {503, "busy", "Others changed the same thing again and again; nothing was done, try again."},
    {503, "too-many-connections", "The server has as many connections as it takes."},
    {505, "http-version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."},
};

std::string body_of(Problem const& problem, net::Request const& request) {
    std::string text;
    text.reserve(320 + problem.detail.size());
    json::Writer out(text);
    std::string type{problem_types};
    type += problem.code;
    out.raw(R"({"type":)");
    out.string(type);
    out.raw(R"(,"title":)");
    out.string(problem.title());
    out.raw(R"(,"status":)");
    out.integer(std::int64_t{problem.status});
    out.raw(R"(,"detail":)");
    out.string(problem.detail);
    out.raw(R"(,"instance":)");
    out.string(request.raw_path);
    out.raw(R"(,"code":)");
    out.string(problem.code);
    out.raw(R"(,"requestId":)");
    out.string(request.id);
    if (!problem.errors.empty()) {
        out.raw(R"(,"errors":[)");
        bool first = true;
        for (auto const& error : problem.errors) {
            out.raw(first ? R"({"pointer":)" : R"(,{"pointer":)");
            first = false;
            out.string(error.pointer);
            out.raw(R"(,"code":)");
            out.string(error.code);
            out.raw(R"(,"detail":)");
            out.string(error.detail);
            out.raw('}');
        }
        out.raw(']');
    }
    out.raw('}');
    return text;
}

}  // namespace

net::Response problem_response(Problem const& problem, net::Request const& request) {
    net::Response response(problem.status, net::content_type::problem, {});
    response.body = body_of(problem, request);
    response.header("Cache-Control", "no-store");
    if (problem.status == 401) {
        response.header("WWW-Authenticate", request.header("Authorization")
                                                ? R"(Bearer realm="buildplan", error="invalid_token")"
                                                : R"(Bearer realm="buildplan")");
    }
    if (problem.retry_after) response.header("Retry-After", std::to_string(problem.retry_after->count()));
    return response;
}

std::span<ProblemKind const> common_problems() noexcept { return kinds; }

}  // namespace buildplan::api
