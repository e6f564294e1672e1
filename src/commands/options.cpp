#include "commands/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

#include "core/operator_error.hpp"
#include "queue/jobs/table.hpp"

namespace buildplan::commands {

net::ServerSettings server_settings(Settings const& settings) {
    auto const& http = settings.http;
    net::ServerSettings out;
    out.timeouts.first_byte = http.head_timeout;
    out.timeouts.head = http.head_timeout;
    out.timeouts.idle = http.idle_timeout;
    out.timeouts.body_progress = http.body_timeout;
    out.timeouts.write_progress = http.write_timeout;
    out.timeouts.total = http.total_timeout;
    out.limits.head = http.max_head.bytes;
    out.limits.body = http.max_body.bytes;
    out.limits.connections = http.max_connections;
    out.cors.origins = http.cors_origins;
    out.cors.request_headers = {"Authorization", "Content-Type", "Idempotency-Key", "If-Match",
                                "If-None-Match", "X-Request-Id", "traceparent"};
    out.cors.exposed_headers = {
        "ETag",        "Location",     "RateLimit-Limit",    "RateLimit-Remaining", "RateLimit-Reset",
        "Retry-After", "X-Request-Id", "Idempotent-Replayed"};
    for (auto const& text : http.trusted_proxies) {
        auto const network = net::Network::parse(text);
        if (!network) {
            throw OperatorError(fmt::format("http.trusted_proxies: \"{}\" is no network", text),
                                "write it like 10.0.0.0/8 or fd00::/8", 78);
        }
        out.proxies.networks.push_back(*network);
    }
    return out;
}

postgres::Options postgres_options(Settings const& settings, std::string const& url) {
    auto const& wanted = settings.postgres;
    postgres::Options out;
    out.url = url;
    out.shared.connections = wanted.shared_connections;
    out.shared.depth = wanted.pipeline_depth;
    out.shared.statement_timeout = wanted.fast_timeout;
    out.exclusive.connections = wanted.exclusive_connections;
    out.exclusive.statement_timeout = wanted.statement_timeout;
    out.exclusive.lock_timeout = wanted.lock_timeout;
    out.writing.connections = wanted.writing_connections;
    out.writing.statement_timeout = wanted.statement_timeout;
    out.writing.lock_timeout = wanted.lock_timeout;
    out.heavy.connections = wanted.heavy_connections;
    out.heavy.statement_timeout = wanted.heavy_timeout;
    out.heavy.lock_timeout = wanted.lock_timeout;
    out.wait = wanted.wait;
    out.waiting = wanted.max_waiting;
    out.named_statements = wanted.prepared_statements;
    return out;
}

redis::Options redis_options(Settings const& settings, std::string const& url, std::string name) {
    try {
        auto out = redis::Options::parse(url);
        out.name = std::move(name);
        out.timeout = settings.redis.timeout;
        return out;
    } catch (std::invalid_argument const& error) {
        throw OperatorError(fmt::format("redis.{}_url: {}", name, error.what()),
                            "write it like unix:/path, redis://host:port or redis-cluster://host:port,host:port", 78);
    }
}

queue::fair::WorkersOptions workers_options(Settings const& settings) {
    queue::fair::WorkersOptions out;
    out.concurrency = settings.work.concurrency;
    for (auto const& queue : settings.work.queues) {
        if (!queue::jobs::is_queue(queue)) {
            throw OperatorError(fmt::format("work.queues: there is no queue \"{}\"", queue),
                                fmt::format("there are {}", fmt::join(queue::jobs::queues::all, ", ")), 78);
        }
        out.queues.push_back(queue);
    }
    if (settings.work.tiers.empty()) return out;
    out.tiers.clear();
    for (auto const& name : settings.work.tiers) {
        auto const tier = queue::fair::parse_tier(name);
        if (!tier) {
            throw OperatorError(fmt::format("work.tiers: there is no tier \"{}\"", name),
                                "there are FREE, PRO and ENTERPRISE", 78);
        }
        out.tiers.push_back(*tier);
    }
    return out;
}

identity::Tokens::Options token_options(Settings const& settings) {
    identity::Tokens::Options out;
    out.secret = settings.api.secret;
    if (!settings.http.public_url.empty()) out.issuer = settings.http.public_url;
    return out;
}

}  // namespace buildplan::commands
