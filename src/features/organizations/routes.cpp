#include "features/organizations/routes.hpp"

#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/billing/service.hpp"
#include "features/identity/people_cache.hpp"
#include "features/identity/revocations.hpp"
#include "features/organizations/service.hpp"
#include "features/organizations/standing.hpp"

namespace buildplan::organizations {
namespace {

using api::Call;
using api::Response;
using api::Shard;
using api::Tx;

constexpr std::string_view example = R"({"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "name": "Acme",
    "slug": "acme", "settings": {"timeZone": "Europe/Berlin"}, "features": {}, "limits": {}, "deletedAt": null,
    "deleteAfter": null, "createdAt": "2026-11-23T17:20:46.123Z", "updatedAt": "2026-11-23T17:20:46.123Z"})";

Response shown(Response response, VersionedOrganization const& found) {
    return api::with_etag(std::move(response), found.organization.id, found.version);
}

// Whoever has it under another name, or asks what it has settled, is told of the change.
void announce_change(Tx& tx, Call const& call, OrganizationId id) {
    billing::announce_settings_changed(tx, call.shard(), id);
    auto const person = call.principal().user();
    if (auto* const people = call.shard().people; people && person)
        tx.after_commit([people, who = *person] { people->forget_organizations(who); });
}

// Its own transaction does the work; the one that it is given keeps the answer for the Idempotency-Key.
task<Response> create_another(Tx&, Call const& call) {
    auto draft = call.json<NewOrganization>();
    auto const made = co_await create_organization(call, std::move(draft));
    co_return shown(api::created(made.organization, "/v1/organizations/" + made.organization.id.to_string()), made);
}

task<Response> list_organizations(Shard&, Call const& call) {
    auto const limit = api::rows_for(call);
    auto found = co_await my_organizations(call, call.after<std::string, OrganizationId>(), limit);
    co_return api::ok(api::page_of(
        call, std::move(found), [](MyOrganization&& mine) { return std::move(mine); },
        [](MyOrganization const& mine) { return std::tuple{mine.name, mine.id}; }));
}

task<Response> show_organization(Shard& shard, Call const& call) {
    auto const id = call.path<OrganizationId>("organizationId");
    auto const found = co_await get_organization(shard.postgres, call.principal(), id);
    if (!found) throw problems::not_found();
    co_return shown(api::ok(found->organization), *found);
}

task<Response> update_organization(Tx& tx, Call const& call) {
    auto const id = call.path<OrganizationId>("organizationId");
    auto wanted = call.json<OrganizationChange>();
    auto match = call.if_match(id);
    auto const now_is = co_await change_organization(tx, id, std::move(wanted), std::move(match));
    announce_change(tx, call, id);
    co_return shown(api::ok(now_is.organization), now_is);
}

task<Response> remove_organization(Tx& tx, Call const& call) {
    auto const id = call.path<OrganizationId>("organizationId");
    if (id != call.principal().organization()) throw problems::not_found();
    static_cast<void>(person_of(call.principal()));
    auto typed = call.json<Deletion>();
    auto match = call.if_match(id);
    auto const now_is = co_await delete_organization(tx, id, std::move(typed), std::move(match));
    identity::announce_when_committed(tx, call.shard(), {id.value});
    announce_change(tx, call, id);
    co_return shown(api::ok(now_is.organization), now_is);
}

task<Response> bring_back_organization(Tx& tx, Call const& call) {
    auto const id = call.path<OrganizationId>("organizationId");
    if (id != call.principal().organization()) throw problems::not_found();
    auto const person = person_of(call.principal());
    auto const now_is = co_await restore_organization(tx, person, id);
    identity::announce_when_committed(tx, call.shard(), {id.value});
    announce_change(tx, call, id);
    co_return shown(api::ok(now_is.organization), now_is);
}

constexpr auto organizations =
    api::tag("Organizations", "The tenants. A token speaks for one of them; `/auth/switch-org` gives one for another.");
constexpr auto slug_taken = api::fails(409, "slug-taken", "Another one of its kind has this slug.");
constexpr auto in_person = api::fails(403, "person-required", "A person who is signed in does this, not a key.");

constexpr api::Route table[] = {
    {"GET", "/v1/organizations", api::any_principal, api::handle<list_organizations>, "List my organizations",
     organizations,
     api::describe(
         "All that you are a member of, deleted ones too while they can be restored. With a key: the one that "
         "it opens."),
     api::paged("name"), api::returns<api::Page<MyOrganization>>()},
    {"POST", "/v1/organizations", api::any_principal, api::handle<create_another>, "Create an organization",
     organizations, api::describe("You become its OWNER, and it begins on the FREE tier."),
     api::body<NewOrganization>.example(R"({"name": "Acme", "slug": "acme"})"),
     api::returns<Organization>(201).example(example), api::versioned, slug_taken, in_person,
     api::fails(409, "too-many-organizations", "A person owns at most 100 organizations."),
     api::fails(409, "already-made", "The call under this Idempotency-Key has made one that is not yours any more.")},
    {"GET", "/v1/organizations/{organizationId}", "org.read", api::handle<show_organization>, "Get the organization",
     organizations, api::returns<Organization>().example(example), api::versioned},
    {"PATCH", "/v1/organizations/{organizationId}", "org.settings.update", api::handle<update_organization>,
     "Change the organization", organizations,
     api::describe("Its name, slug, settings and features. `limits` come with what is paid for."),
     api::body<OrganizationChange>.example(R"({"name": "Acme Ltd", "settings": {"timeZone": "Europe/Paris"}})"),
     api::returns<Organization>().example(example), api::versioned, slug_taken},
    {"DELETE", "/v1/organizations/{organizationId}", "org.delete", api::handle<remove_organization>,
     "Delete the organization", organizations,
     api::describe(
         "Needs its slug, typed. For 30 days nothing else can be done in it and an owner can restore it; then "
         "it is gone with all that it has."),
     api::body<Deletion>.example(R"({"confirm": "acme"})"), api::returns<Organization>().example(example),
     api::versioned, in_person},
    {"POST", "/v1/organizations/{organizationId}/restore", api::any_principal, api::handle<bring_back_organization>,
     "Restore the organization", organizations, api::describe("By an OWNER, within 30 days of its deletion."),
     api::returns<Organization>().example(example), api::versioned, in_person,
     api::fails(409, "not-deleted", "The organization is not being deleted.")},
};

}  // namespace

std::span<api::Route const> organization_routes() noexcept { return table; }

}  // namespace buildplan::organizations
