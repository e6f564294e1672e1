#include "api/system_routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/reference.hpp"
#include "api/response.hpp"
#include "core/metrics.hpp"
#include "postgres/pool.hpp"
#include "redis/client.hpp"

namespace buildplan::api {
namespace {

struct Health {
    std::string status;
    std::string version;
};
BOOST_DESCRIBE_STRUCT(Health, (), (status, version))
constexpr auto json_rules(Health const*) {
    return json::fields(json::field("status").about("Always ok: whoever answers is alive."));
}

enum class Part { ok, degraded, down };
BOOST_DESCRIBE_ENUM(Part, ok, degraded, down)

struct Readiness {
    bool ready = false;
    Part postgres = Part::down;
    Part redis = Part::down;
};
BOOST_DESCRIBE_STRUCT(Readiness, (), (ready, postgres, redis))
constexpr auto json_rules(Readiness const*) {
    return json::fields(json::field("ready").about("Whether requests should be sent here."),
                        json::field("postgres").about("What all else stands on."),
                        json::field("redis").about("Without it the server is slower, and ready all the same."));
}

constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";

task<Response> health(Shard& shard, Call const&) { co_return ok(Health{"ok", shard.constants.version}); }

task<Part> ping(postgres::Pool& pool) {
    try {
        co_await pool.ping();
        co_return Part::ok;
    } catch (std::exception const&) {
        co_return Part::down;
    }
}

task<Response> ready(Shard& shard, Call const&) {
    Readiness state;
    bool const serving = shard.constants.serving.load();
    if (serving) state.postgres = co_await ping(shard.postgres);
    state.redis = shard.redis && shard.redis->available() ? Part::ok : Part::degraded;
    state.ready = serving && state.postgres == Part::ok;
    auto response = json_response(state.ready ? 200 : 503, state);
    if (!state.ready) response.header("Retry-After", "1");
    response.header("Cache-Control", "no-store");
    co_return response;
}

task<Response> metrics(Shard& shard, Call const&) {
    Response response(200, "text/plain; version=0.0.4; charset=utf-8", metrics::exposition(shard.constants.registries));
    response.header("Cache-Control", "no-store");
    co_return response;
}

Response file(Reference::File const& found, std::string_view type) {
    Response response(200, type, found.text);
    response.header("ETag", found.etag);
    response.header("Cache-Control", "public, max-age=60");
    return response;
}

Response page(Reference::File const& found) {
    auto response = file(found, net::content_type::html);
    response.header("Content-Security-Policy", page_policy);
    return response;
}

task<Response> get_openapi(Shard& shard, Call const&) {
    co_return file(shard.constants.reference->openapi(), net::content_type::json);
}
task<Response> get_reference_pages(Shard& shard, Call const&) { co_return page(shard.constants.reference->page()); }
task<Response> get_problem_pages(Shard& shard, Call const&) { co_return page(shard.constants.reference->problems()); }
task<Response> get_page_style(Shard& shard, Call const&) {
    co_return file(shard.constants.reference->style(), "text/css; charset=utf-8");
}

constexpr auto about_system = tag("System", "The installation itself.");
constexpr auto about_reference = tag("Reference", "This description, for programs and for people.");

constexpr Route table[] = {
    {"GET", "/health", open, handle<health>, "Whether the server is alive", about_system,
     returns<Health>().example(R"({"status": "ok", "version": "0.1.0"})")},
    {"GET", "/ready", open, handle<ready>, "Whether the server can serve", about_system,
     returns<Readiness>().example(R"({"ready": true, "postgres": "ok", "redis": "ok"})"),
     returns<Readiness>(503)
         .about("Starting, stopping, or without PostgreSQL.")
         .example(R"({"ready": false, "postgres": "down", "redis": "ok"})")},
    {"GET", "/metrics", open, handle<metrics>, "Measurements for Prometheus", about_system, returns_as("text/plain")},
    {"GET", "/openapi.json", open, handle<get_openapi>, "The OpenAPI document", about_reference,
     returns_as("application/json"), versioned},
    {"GET", "/docs", open, handle<get_reference_pages>, "The reference pages", about_reference, returns_as("text/html"),
     versioned},
    {"GET", "/docs/problems", open, handle<get_problem_pages>, "Every kind of problem", about_reference,
     returns_as("text/html"), versioned},
    {"GET", "/docs/style.css", open, handle<get_page_style>, "How the reference pages look", about_reference,
     returns_as("text/css"), versioned},
};

}  // namespace

std::span<Route const> system_routes() noexcept { return table; }

}  // namespace buildplan::api
