// Authentication: the one maker of Principals. Who shows an access token (a JWT of ours) or an API key is looked up
// once, across tenants and therefore as named work of the system role: the session or key, and what its user is in the
// organization now. What was found is kept on the shard, so that the usual request verifies no signature and asks
// PostgreSQL nothing, until its time is over or one of the things it stands on is revoked (revocation_feed.hpp: within
// a second, on every instance).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/authenticator.hpp"
#include "core/metrics.hpp"
#include "features/identity/tokens/revocation_feed.hpp"
#include "features/identity/tokens/tokens.hpp"
#include "features/identity/types.hpp"
#include "features/identity/verified_principals.hpp"
#include "runtime/loop.hpp"

namespace buildplan::postgres {
class SystemPool;
}

namespace buildplan::identity {

class PeopleCache;

// What holds of a session while it is good.
struct SessionFacts {
    UserId user;
    Timestamp expires_at;
    std::optional<std::string> role;  // in the organization that was asked about; nothing for one who is no member
    bool organization_deleted = false;
    bool owns_installation = false;
};

class Authentication final : public api::Authenticator {
public:
    struct Options {
        std::chrono::seconds keep_token{300};
        std::chrono::seconds keep_key{60};  // also how often a key's last use is noted
        std::size_t most_kept = 10'000;
        Tokens::Options tokens{};
        RevocationFeed::Options revocations{};
    };

    // One for each shard. `loop` and `system` outlive it.
    Authentication(Loop& loop, postgres::SystemPool& system) : Authentication(loop, system, Options{}) {}
    Authentication(Loop& loop, postgres::SystemPool& system, Options options);

    task<std::shared_ptr<Principal const>> authenticate(api::Shard& shard, net::Request const& request) override;

    // Begins and ends reading what is revoked. Before it begins, and after it has ended, nothing that is kept is used.
    void start() override;
    task<> close() override;
    // From now on hears of it through Redis too; ended before the subscriber goes.
    void listen(redis::Subscriber& subscriber) { feed_.listen(subscriber); }
    void stop_listening() { feed_.stop_listening(); }
    // What is found out about sessions is kept there, too, for other shards; it is told what is revoked.
    void share(PeopleCache* people) noexcept { people_ = people; }
    // What stands on this session, user, key or organization is looked up again.
    void forget(Uuid const& subject) override;

    [[nodiscard]] Tokens& tokens() noexcept { return tokens_; }

    // For work that the program does by itself in a tenant's name, with these permissions and no more.
    static std::shared_ptr<Principal const> act_for(OrganizationId organization, std::vector<std::string> permissions);

private:
    struct Found {
        std::shared_ptr<Principal const> principal;
        std::chrono::microseconds good_for{0};
    };

    task<std::shared_ptr<Principal const>> look_up(std::string text, std::string hash);
    task<Found> look_up_key(std::string_view hash);
    task<Found> look_up_token(std::string text);
    task<std::optional<SessionFacts>> facts_of(SessionId session, std::optional<OrganizationId> organization,
                                               UserId user);
    task<std::optional<std::string>> load_session(SessionId session, std::optional<OrganizationId> organization);
    task<std::optional<SessionFacts>> find_session(SessionId session, std::optional<OrganizationId> organization);

    Loop& loop_;
    postgres::SystemPool& system_;
    Options options_;
    Tokens tokens_;
    VerifiedPrincipals kept_;
    PeopleCache* people_ = nullptr;
    RevocationFeed feed_;
    std::uint64_t forgotten_ = 0;  // how often: what was being looked up meanwhile is not kept
    metrics::Counter& hits_;
    metrics::Counter& misses_;
    metrics::Counter& refusals_;
};

// What a key of a person may do: its scopes, as far as the person holds them.
std::vector<std::string> shared_permissions(std::vector<std::string> const& scopes,
                                            std::vector<std::string> const& held);

}  // namespace buildplan::identity
