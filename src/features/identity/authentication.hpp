// Authentication: the one maker of Principals. `Authorization: Bearer bp_svc_…` is hashed and looked up, across tenants
// and therefore as named work of the system role; what was found is kept on the shard for half a minute, so that the
// usual request asks PostgreSQL nothing. A key that is revoked is told to every instance through Redis; while that is
// gone, what was found is kept for a second only.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "api/authenticator.hpp"
#include "core/metrics.hpp"
#include "features/identity/types.hpp"
#include "features/identity/verified_keys.hpp"
#include "redis/subscriber.hpp"
#include "runtime/loop.hpp"

namespace buildplan::postgres {
class SystemPool;
}
namespace buildplan::redis {
class Client;
}

namespace buildplan::identity {

// Carries the hash, as base64url, of each key that is not valid any more.
inline constexpr std::string_view revoked_keys_channel = "buildplan:revoked-keys";

class Authentication final : public api::Authenticator {
public:
    struct Options {
        std::chrono::seconds keep{30};
        std::chrono::seconds keep_deaf{1};  // while the news of revoked keys does not arrive
        std::size_t most_kept = 10'000;
    };

    // One for each shard. `loop` and `system` outlive it.
    Authentication(Loop& loop, postgres::SystemPool& system) : Authentication(loop, system, Options{}) {}
    Authentication(Loop& loop, postgres::SystemPool& system, Options options);

    task<std::shared_ptr<Principal const>> authenticate(api::Shard& shard, net::Request const& request) override;

    // From now on refuses revoked keys as soon as it is told of them.
    void listen(redis::Subscriber& subscriber);
    // Before the subscriber goes.
    void stop_listening();
    void forget(std::string_view hash);

    // For work that the program does by itself in a tenant's name, with these permissions and no more.
    static std::shared_ptr<Principal const> act_for(OrganizationId organization, std::vector<std::string> permissions);

private:
    task<std::shared_ptr<Principal const>> look_up(std::string hash);

    Loop& loop_;
    postgres::SystemPool& system_;
    Options options_;
    VerifiedKeys keys_;
    bool deaf_ = false;
    std::uint64_t forgotten_ = 0;  // how often: what was being looked up meanwhile is not kept
    redis::Subscriber::Subscription revoked_, watch_;
    metrics::Counter& hits_;
    metrics::Counter& misses_;
};

// Tells every instance, this one too, that a key is not valid any more. After the change is committed.
void announce_revoked(redis::Client& redis, std::string_view hash);

}  // namespace buildplan::identity
