#include "features/identity/sign_in/registration.hpp"

#include "core/slug.hpp"
#include "core/text.hpp"
#include "features/identity/sign_in/entrance.hpp"
#include "features/identity/sign_in/letters.hpp"
#include "features/identity/sign_in/queries.gen.hpp"
#include "features/organizations/reserved_slugs.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {
namespace {

namespace queries = sign_in::queries;

constexpr std::string_view work = "register";

Problem email_taken() {
    return {409,
            "email-taken",
            "There is an account with this email address.",
            {{"/email", "taken", "Sign in, or ask for a new password."}}};
}

// The organization, under the slug of its name or, where that is taken, one with an ending of its own.
task<OrganizationName> found(postgres::SystemTx& tx, std::string name) {
    OrganizationName made{.id = OrganizationId::make(), .name = std::move(name), .slug = {}};
    auto const slug = slug_from(made.name);
    auto const ending = made.id.to_string().substr(28);  // of the random part
    for (auto const& candidate : {slug, slug.empty() ? "organization-" + ending : slug + '-' + ending}) {
        if (candidate.empty() || organizations::is_reserved_slug(candidate)) continue;
        queries::FoundOrganization const query{.organization_id = made.id, .name = made.name, .slug = candidate};
        auto const row = co_await tx.one(query);
        if (!row) continue;
        made.slug = candidate;
        co_return made;
    }
    throw problems::conflict("slug-taken", "The organization's name is taken; try again.");
}

task<> furnish(postgres::SystemTx& tx, UserId owner, OrganizationName const& organization) {
    auto const owner_text = owner.to_string();
    auto const payload =
        fmt::format(R"({{"userId":"{}","organizationId":"{}"}})", owner_text, organization.id.to_string());
    queries::JoinAsOwner const join{.organization_id = organization.id, .user_id = owner};
    queries::SubscribeToFree const subscribe{.organization_id = organization.id};
    queries::BeginUsage const usage{.organization_id = organization.id};
    queries::Tell const tell{
        .organization_id = organization.id, .topic = "user.registered", .payload = postgres::JsonView{payload}};
    queries::RecordBeginning const record{
        .organization_id = organization.id, .name = organization.name, .slug = organization.slug, .owner = owner_text};
    co_await tx.pipeline(join, subscribe, usage, tell, record);
}

}  // namespace

task<std::expected<NewAccount, Problem>> register_account(api::Call const& call, Registration wanted) {
    auto& shard = call.shard();
    auto const origin = Origin::of(call.request());
    auto const counted = co_await shard.entrance->attempts.registration(origin.address);
    if (counted.wait) co_return std::unexpected(too_many_attempts(*counted.wait));
    if (auto refused = refuse_password(wanted.password, wanted.email, wanted.name, "/password"))
        co_return std::unexpected(problems::invalid({std::move(*refused)}));

    User user{.id = UserId::make(), .email = wanted.email, .name = wanted.name, .created_at = {}};
    auto const hash = co_await shard.entrance->passwords.hash(std::move(wanted.password));
    auto tx = shard.system.begin(work, call.actor(Actor::of(user.id)));
    queries::CreateUser const create{.user_id = user.id, .email = user.email, .name = user.name, .password_hash = hash};
    auto const created = co_await tx.one(create);
    if (!created) {
        co_await tx.rollback();
        co_return std::unexpected(email_taken());
    }
    user.created_at = created->created_at;
    auto organization = co_await found(tx, std::move(wanted.organization_name));
    co_await furnish(tx, user.id, organization);
    co_await write_letter(tx, Letter::verify_email, user.id, user.email, user.name);
    auto tokens = co_await open_session(shard, tx, user.id, organization.id, origin);
    co_await tx.commit();
    co_return NewAccount{std::move(user), std::move(organization), std::move(tokens)};
}

}  // namespace buildplan::identity
