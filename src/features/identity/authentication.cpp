#include "features/identity/authentication.hpp"

#include "core/text.hpp"
#include "core/time.hpp"
#include "features/identity/api_key.hpp"
#include "features/identity/queries.gen.hpp"
#include "postgres/pool.hpp"
#include "redis/client.hpp"

namespace buildplan::identity {
namespace {

constexpr std::string_view work = "authenticate";
constexpr std::chrono::minutes touch_every{1};

// The token of "Bearer <token>" (RFC 6750 section 2.1; the scheme in either case).
std::string_view bearer_token(net::Request const& request) {
    auto const header = request.header("Authorization");
    if (!header) return {};
    auto const value = trim(*header);
    constexpr std::string_view scheme = "bearer ";
    if (value.size() <= scheme.size() || !ascii_iequals(value.substr(0, scheme.size()), scheme)) return {};
    return trim(value.substr(scheme.size()));
}

// Nobody waits for it, and a key that was not marked as used is marked by the next request.
task<> touch(postgres::SystemPool& system, OrganizationId organization, ApiKeyId key) {
    queries::TouchKey const query{.organization_id = organization, .key_id = key};
    co_await system.run(work, query);
}

metrics::Counter& lookups(Loop& loop, std::string_view result) {
    return loop.metrics().counter("buildplan_authentication_lookups_total", "Keys looked up, by where they were found.",
                                  {{"result", result}});
}

}  // namespace

Authentication::Authentication(Loop& loop, postgres::SystemPool& system, Options options)
    : loop_(loop),
      system_(system),
      options_(options),
      keys_(options.most_kept),
      hits_(lookups(loop, "kept")),
      misses_(lookups(loop, "asked")) {}

task<std::shared_ptr<Principal const>> Authentication::authenticate(api::Shard&, net::Request const& request) {
    auto const token = bearer_token(request);
    if (!kind_of_key(token)) co_return nullptr;
    auto hash = hash_of_key(token);
    if (auto kept = keys_.find(hash, VerifiedKeys::Clock::now())) {
        hits_.add();
        co_return kept;
    }
    misses_.add();
    co_return co_await look_up(std::move(hash));
}

task<std::shared_ptr<Principal const>> Authentication::look_up(std::string hash) {
    auto const forgotten = forgotten_;
    queries::FindKey const query{.hash = hash};
    auto found = co_await system_.one(work, query);
    if (!found || found->revoked_at) co_return nullptr;
    auto const time = now();
    if (found->expires_at && *found->expires_at <= time) co_return nullptr;
    std::shared_ptr<Principal const> const principal(
        new Principal(found->organization_id, found->user_id, std::move(found->scopes)));
    if (forgotten == forgotten_) {
        std::chrono::microseconds keep = deaf_ ? options_.keep_deaf : options_.keep;
        if (found->expires_at) keep = std::min(keep, *found->expires_at - time);
        keys_.keep(std::move(hash), principal, VerifiedKeys::Clock::now() + keep);
    }
    if (!found->last_used_at || *found->last_used_at + touch_every < time) {
        loop_.spawn("touch API key", touch(system_, found->organization_id, found->id));
    }
    co_return principal;
}

void Authentication::forget(std::string_view hash) {
    ++forgotten_;
    keys_.forget(hash);
}

void Authentication::listen(redis::Subscriber& subscriber) {
    deaf_ = !subscriber.live();
    revoked_ = subscriber.subscribe(std::string(revoked_keys_channel), [this](std::string_view, std::string_view text) {
        if (auto const hash = from_base64url(text)) forget(*hash);
    });
    watch_ = subscriber.watch([this](bool live) {
        deaf_ = !live;
        ++forgotten_;
        keys_.forget_all();
    });
}

void Authentication::stop_listening() {
    revoked_.end();
    watch_.end();
}

std::shared_ptr<Principal const> Authentication::act_for(OrganizationId organization,
                                                         std::vector<std::string> permissions) {
    return std::shared_ptr<Principal const>(new Principal(organization, std::nullopt, std::move(permissions)));
}

void announce_revoked(redis::Client& redis, std::string_view hash) {
    redis.send(redis::Command("PUBLISH", revoked_keys_channel, base64url(hash)));
}

}  // namespace buildplan::identity
