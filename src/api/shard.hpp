// Shard: what a handler may use on the thread that it runs on. Everything in it belongs to this thread alone, except
// `constants`, which never change, and outlives every handler.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "api/cursor.hpp"
#include "api/router.hpp"
#include "core/metrics.hpp"
#include "runtime/loop.hpp"
#include "runtime/offload.hpp"

namespace buildplan::postgres {
class Bell;
class Pool;
class SystemPool;
}  // namespace buildplan::postgres
namespace buildplan::redis {
class Cache;
class Client;
}  // namespace buildplan::redis
namespace buildplan::net {
class HttpClient;
}
namespace buildplan::identity {
class Entrance;
class PeopleCache;
class Tokens;
}  // namespace buildplan::identity
namespace buildplan::billing {
class SettingsCache;
}

namespace buildplan::api {

class Authenticator;
class Limiter;
class Reference;

// The same for all shards of a process.
struct Constants {
    Constants(RouteTables tables, std::string version_, std::string const& secret);
    ~Constants();
    Constants(Constants const&) = delete;
    Constants& operator=(Constants const&) = delete;

    Router router;
    Cursors cursors;
    std::string answers_key;  // seals secret answers that are kept for a repeated request
    std::string version;
    // /openapi.json and /docs, made when first asked for.
    std::unique_ptr<Reference> reference;
    // Of every shard; summed up by /metrics.
    std::vector<metrics::Registry*> registries;
    // Set while the process wants requests: not before it has started, not while it stops.
    std::atomic<bool> serving{false};
};

struct Shard {
    Loop& loop;
    Constants& constants;
    postgres::Pool& postgres;
    postgres::SystemPool& system;
    Offload& offload;
    Authenticator& authenticator;
    // Each may be missing: tests, and installations that do without.
    Limiter* limiter = nullptr;
    redis::Client* redis = nullptr;  // the cache's server
    redis::Cache* cache = nullptr;
    net::HttpClient* http = nullptr;
    identity::Tokens* tokens = nullptr;          // what signs access tokens
    identity::Entrance* entrance = nullptr;      // what lets people in
    identity::PeopleCache* people = nullptr;     // what is known of them beside PostgreSQL
    billing::SettingsCache* settings = nullptr;  // of organizations, as they were a moment ago
    postgres::Bell* bell = nullptr;              // rung when something was written that others may be waiting for
    redis::Client* queue = nullptr;              // the queues' server
};

}  // namespace buildplan::api
