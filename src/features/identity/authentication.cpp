#include "features/identity/authentication.hpp"

#include <algorithm>

#include "core/json/json.hpp"
#include "core/time.hpp"
#include "features/identity/api_key.hpp"
#include "features/identity/api_keys/queries.gen.hpp"
#include "features/identity/cookies.hpp"
#include "features/identity/people_cache.hpp"
#include "features/identity/presented_token.hpp"
#include "features/identity/tokens/queries.gen.hpp"
#include "features/organizations/roles.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {
namespace {

constexpr std::string_view work = "authenticate";
constexpr std::chrono::minutes touch_every{1};

// Nobody waits for it, and a key that was not marked as used is marked by the next request.
task<> touch(postgres::SystemPool& system, OrganizationId organization, ApiKeyId key) {
    api_keys::queries::TouchKey const query{.organization_id = organization, .key_id = key};
    co_await system.run(work, query);
}

metrics::Counter& lookups(Loop& loop, std::string_view result) {
    return loop.metrics().counter("buildplan_authentication_lookups_total",
                                  "Tokens and keys that were shown, by where they were found.", {{"result", result}});
}

std::vector<std::string> permissions_of_role(std::string_view name) {
    auto const role = organizations::parse_role(name);
    return role ? organizations::permission_texts(*role) : std::vector<std::string>{};
}

}  // namespace

Authentication::Authentication(Loop& loop, postgres::SystemPool& system, Options options)
    : loop_(loop),
      system_(system),
      options_(std::move(options)),
      tokens_(loop, system, options_.tokens),
      kept_(options_.most_kept),
      feed_(loop, system, options_.revocations,
            {.revoked = [this](Uuid const& subject) { forget(subject); },
             .everything =
                 [this] {
                     ++forgotten_;
                     kept_.forget_all();
                     if (people_) people_->everything();
                 }}),
      hits_(lookups(loop, "kept")),
      misses_(lookups(loop, "asked")),
      refusals_(lookups(loop, "refused")) {}

void Authentication::start() { feed_.start(); }

task<> Authentication::close() {
    feed_.stop_listening();
    co_await feed_.stop();
}

void Authentication::forget(Uuid const& subject) {
    ++forgotten_;
    kept_.forget(subject);
    if (people_) people_->revoked(subject);
}

task<std::shared_ptr<Principal const>> Authentication::authenticate(api::Shard&, net::Request const& request) {
    auto const shown = token_of(request);
    if (shown.text.empty() || shown.text.size() > longest_token) co_return nullptr;
    bool const is_key = kind_of_key(shown.text).has_value();
    if (is_key ? shown.from_cookie : std::ranges::count(shown.text, '.') != 2) co_return nullptr;
    if (shown.from_cookie && is_unsafe(request.method) && !has_csrf_proof(request)) throw csrf_problem();
    auto hash = hash_of_key(shown.text);
    if (feed_.complete()) {
        if (auto kept = kept_.find(hash, VerifiedPrincipals::Clock::now())) {
            hits_.add();
            if (people_ && kept->session()) people_->session_was_kept();
            co_return kept;
        }
    }
    misses_.add();
    co_return co_await look_up(std::string(shown.text), std::move(hash));
}

task<std::shared_ptr<Principal const>> Authentication::look_up(std::string text, std::string hash) {
    co_await feed_.begin();
    if (people_) people_->hears();
    auto const forgotten = forgotten_;
    bool const is_key = kind_of_key(text).has_value();
    auto found = is_key ? co_await look_up_key(hash) : co_await look_up_token(std::move(text));
    if (!found.principal) {
        refusals_.add();
    } else if (forgotten == forgotten_) {
        kept_.keep(std::move(hash), found.principal, VerifiedPrincipals::Clock::now() + found.good_for);
    }
    co_return found.principal;
}

task<Authentication::Found> Authentication::look_up_key(std::string_view hash) {
    api_keys::queries::FindKey const query{.hash = hash};
    auto found = co_await system_.one(work, query);
    auto const time = now();
    if (!found || found->revoked_at || (found->expires_at && *found->expires_at <= time)) co_return Found{};
    if (found->user_id && !found->role) co_return Found{};  // no member any more
    auto permissions = std::move(found->scopes);
    if (found->user_id) permissions = shared_permissions(permissions, permissions_of_role(*found->role));
    std::shared_ptr<Principal const> const principal(
        new Principal(found->organization_id, found->user_id, std::move(permissions), found->role.value_or(""),
                      {.session = {}, .key = found->id}, found->organization_deleted, found->installation));
    std::chrono::microseconds good_for = options_.keep_key;
    if (found->expires_at) good_for = std::min(good_for, *found->expires_at - time);
    if (!found->last_used_at || *found->last_used_at + touch_every < time) {
        loop_.spawn("touch API key", touch(system_, found->organization_id, found->id));
    }
    co_return Found{principal, good_for};
}

task<Authentication::Found> Authentication::look_up_token(std::string text) {
    auto const claims = co_await tokens_.verify(std::move(text));
    if (!claims) co_return Found{};
    auto const facts = co_await facts_of(claims->sid, claims->org, claims->sub);
    if (!facts || facts->user != claims->sub) co_return Found{};
    if (claims->org && !facts->role) co_return Found{};  // no member any more
    auto const role = facts->role.value_or("");
    auto permissions = permissions_of_role(role);
    auto const organization = claims->org.value_or(OrganizationId{facts->user.value});
    std::shared_ptr<Principal const> const principal(
        new Principal(organization, facts->user, std::move(permissions), role, {.session = claims->sid, .key = {}},
                      facts->organization_deleted, facts->owns_installation));
    Timestamp const expires_at{std::chrono::seconds{claims->exp}};
    auto const good_for =
        std::min<std::chrono::microseconds>(options_.keep_token, std::min(expires_at, facts->expires_at) - now());
    co_return Found{principal, good_for};
}

namespace {

// A session in Redis, as the contract has it; what a role may do is known from the role.
struct StoredSession {
    UserId user_id;
    std::optional<OrganizationId> organization_id;
    std::optional<std::string> role;
    Timestamp expires_at;
    bool organization_deleted = false;
    bool owns_installation = false;
};
BOOST_DESCRIBE_STRUCT(StoredSession, (),
                      (user_id, organization_id, role, expires_at, organization_deleted, owns_installation))

// Nothing for what is no entry of this version.
std::optional<StoredSession> read_stored(std::string_view text) {
    try {
        return json::decode<StoredSession>(text);
    } catch (Problem const&) {
        return std::nullopt;
    }
}

}  // namespace

task<std::optional<std::string>> Authentication::load_session(SessionId session,
                                                              std::optional<OrganizationId> organization) {
    auto const facts = co_await find_session(session, organization);
    if (!facts || (organization && !facts->role)) co_return std::nullopt;  // who joins later is let in at once
    co_return json::encode(StoredSession{.user_id = facts->user,
                                         .organization_id = organization,
                                         .role = facts->role,
                                         .expires_at = facts->expires_at,
                                         .organization_deleted = facts->organization_deleted,
                                         .owns_installation = facts->owns_installation});
}

task<std::optional<SessionFacts>> Authentication::facts_of(SessionId session,
                                                           std::optional<OrganizationId> organization, UserId user) {
    if (!people_ || !feed_.complete()) co_return co_await find_session(session, organization);
    std::vector<Uuid> subjects{user.value};
    if (organization) subjects.push_back(organization->value);
    PeopleCache::Load const load = [this, session, organization] { return load_session(session, organization); };
    auto const text = co_await people_->session(session, std::move(subjects), load);
    if (!text) co_return std::nullopt;
    auto stored = read_stored(*text);
    if (stored && stored->organization_id == organization && stored->user_id == user && stored->expires_at > now()) {
        co_return SessionFacts{.user = stored->user_id,
                               .expires_at = stored->expires_at,
                               .role = std::move(stored->role),
                               .organization_deleted = stored->organization_deleted,
                               .owns_installation = stored->owns_installation};
    }
    people_->forget_session(session);  // it works in another organization now, or goes on for longer
    co_return co_await find_session(session, organization);
}

task<std::optional<SessionFacts>> Authentication::find_session(SessionId session,
                                                               std::optional<OrganizationId> organization) {
    tokens::queries::FindSession const query{.organization_id = organization, .session_id = session};
    auto found = co_await system_.one(work, query);
    if (!found) co_return std::nullopt;
    co_return SessionFacts{.user = found->user_id,
                           .expires_at = found->expires_at,
                           .role = std::move(found->role),
                           .organization_deleted = found->organization_deleted,
                           .owns_installation = found->owns_installation};
}

std::shared_ptr<Principal const> Authentication::act_for(OrganizationId organization,
                                                         std::vector<std::string> permissions) {
    return std::shared_ptr<Principal const>(new Principal(organization, std::nullopt, std::move(permissions)));
}

std::vector<std::string> shared_permissions(std::vector<std::string> const& scopes,
                                            std::vector<std::string> const& held) {
    std::vector<std::string> both;
    auto const add = [&both](std::string const& permission) {
        if (std::ranges::find(both, permission) == both.end()) both.push_back(permission);
    };
    for (auto const& scope : scopes) {
        for (auto const& permission : held) {
            if (permission_covers(permission, scope)) {
                add(scope);
            } else if (permission_covers(scope, permission)) {
                add(permission);
            }
        }
    }
    return both;
}

}  // namespace buildplan::identity
