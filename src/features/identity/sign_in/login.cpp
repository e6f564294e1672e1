#include "features/identity/sign_in/login.hpp"

#include "core/text.hpp"
#include "features/identity/passwords/hash.hpp"
#include "features/identity/sign_in/entrance.hpp"
#include "features/identity/sign_in/queries.gen.hpp"
#include "features/identity/tokens/issuer.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {
namespace {

namespace queries = sign_in::queries;

constexpr std::string_view work = "sign_in";

Problem invalid_credentials() { return {401, "invalid-credentials", "The email address or the password is wrong."}; }

Membership to_membership(queries::MembershipRow row) {
    return {.id = row.id, .name = std::move(row.name), .slug = std::move(row.slug), .role = std::move(row.role)};
}

std::vector<Membership> to_memberships(std::vector<queries::MembershipRow> rows) {
    std::vector<Membership> all;
    all.reserve(rows.size());
    for (auto& row : rows) all.push_back(to_membership(std::move(row)));
    return all;
}

void count(api::Shard& shard, std::string_view result) {
    shard.loop.metrics()
        .counter("buildplan_sign_ins_total", "Sign-ins with a password, by how they ended.", {{"result", result}})
        .add();
}

// The hash is made with today's parameters while the password is at hand. Nobody waits for it.
task<> rehash(api::Shard& shard, Gate::Pass, UserId user, std::string old_hash, std::string password) {
    auto const hash = co_await shard.entrance->passwords.hash(std::move(password));
    queries::RefreshPasswordHash const query{.password_hash = hash, .user_id = user, .old_hash = old_hash};
    co_await shard.system.run(work, query);
}

task<SignedInAccount> begin(api::Call const& call, UserId user, Origin origin) {
    auto& shard = call.shard();
    auto tx = shard.system.begin(work, call.actor(Actor::of(user)));
    queries::ListMemberships const list{.user_id = user};
    auto organizations = to_memberships(co_await tx.all(list));
    auto const only = organizations.size() == 1 ? std::optional{organizations.front().id} : std::nullopt;
    auto tokens = co_await open_session(shard, tx, user, only, origin);
    auto const target = user.to_string();
    queries::Record const record{
        .action = "user.signed_in", .target_kind = "user", .target_id = target, .user_id = user};
    co_await tx.commit_with(record);
    co_return SignedInAccount{std::move(organizations), std::move(tokens)};
}

}  // namespace

task<std::expected<SignedInAccount, Problem>> log_in(api::Call const& call, Login wanted) {
    auto& shard = call.shard();
    auto& entrance = *shard.entrance;
    auto const origin = Origin::of(call.request());
    auto const email = ascii_lower(wanted.email);
    auto const at_place = co_await entrance.attempts.at_place(origin.address);
    if (at_place.wait) {
        count(shard, "limited");
        co_return std::unexpected(too_many_attempts(*at_place.wait));
    }
    queries::FindCredentials const find{.address = origin.address, .email_lc = email};
    auto found = co_await shard.system.one(work, find);
    auto const at_account = co_await entrance.attempts.at_account(email, origin.address, found && found->knows_address);
    if (at_account.wait) {
        count(shard, "limited");
        co_return std::unexpected(too_many_attempts(*at_account.wait));
    }

    bool const outdated = found && is_outdated(found->password_hash);
    auto hash = found ? std::optional{found->password_hash} : std::nullopt;
    bool const fits = co_await entrance.passwords.fits(std::move(hash), wanted.password);
    count(shard, fits ? "good" : "refused");
    if (!fits) {
        call.log().info("sign-in refused", {{"remote", origin.address}});
        co_return std::unexpected(invalid_credentials());
    }
    entrance.attempts.take_back(at_place);
    entrance.attempts.take_back(at_account);
    auto signed_in = co_await begin(call, found->id, origin);
    if (outdated) {
        shard.loop.spawn("rehash password", rehash(shard, entrance.behind.enter(), found->id,
                                                   std::move(found->password_hash), std::move(wanted.password)));
    }
    co_return signed_in;
}

task<std::optional<EnteredOrganization>> enter(api::Call const& call, OrganizationId organization) {
    auto& shard = call.shard();
    auto const who = signed_in(call);
    auto tx = shard.system.begin(work, call.actor());
    queries::FindMembership const find{.user_id = who.user, .organization_id = organization};
    queries::EnterOrganization const enter{
        .organization_id = organization, .session_id = who.session, .user_id = who.user};
    auto found = co_await tx.one(find);
    if (!found) co_return std::nullopt;
    co_await tx.run(enter);
    auto const target = who.session.to_string();
    queries::Record const record{.action = "session.entered",
                                 .target_kind = "session",
                                 .target_id = target,
                                 .user_id = who.user,
                                 .organization_id = organization};
    co_await tx.commit_with(record);
    auto access = co_await issue_access_token(shard, who.session, who.user, organization);
    co_return EnteredOrganization{to_membership(std::move(*found)), std::move(access.text), access.expires_at};
}

task<Me> me(api::Call const& call) {
    auto const& who = call.principal();
    if (!who.user()) throw Problem(403, "person-required", "A person who is signed in does this, not a key.");
    queries::FindUser const find{.user_id = *who.user()};
    queries::ListMemberships const list{.user_id = *who.user()};
    auto [user, memberships] = co_await call.shard().system.pipeline(work, find, list);
    if (!user) throw problems::not_found();
    Me me{.user = {.id = user->id,
                   .email = std::move(user->email),
                   .name = std::move(user->name),
                   .email_verified = user->email_verified,
                   .mfa_enabled = user->mfa_enabled,
                   .created_at = user->created_at},
          .organization_id = who.has_organization() ? std::optional{who.organization()} : std::nullopt,
          .role = who.role().empty() ? std::nullopt : std::optional{std::string(who.role())},
          .permissions = who.permissions(),
          .organizations = to_memberships(std::move(memberships))};
    co_return me;
}

}  // namespace buildplan::identity
