#include "features/organizations/service.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "core/crypto.hpp"
#include "core/json/free_json.hpp"
#include "core/json/json.hpp"
#include "core/json/merge_patch.hpp"
#include "core/problem.hpp"
#include "core/slug.hpp"
#include "features/identity/people_cache.hpp"
#include "features/organizations/queries.gen.hpp"
#include "features/organizations/reserved_slugs.hpp"
#include "features/organizations/standing.hpp"

namespace buildplan::organizations {
namespace {

constexpr std::size_t settings_depth = 32;

boost::json::object object_of(postgres::Json const& json) { return boost::json::parse(json.text).as_object(); }

VersionedOrganization to_versioned(queries::OrganizationRow row) {
    return {.organization = {.id = row.id,
                             .name = std::move(row.name),
                             .slug = std::move(row.slug),
                             .settings = object_of(row.settings),
                             .features = object_of(row.features),
                             .limits = object_of(row.limits),
                             .deleted_at = row.deleted_at,
                             .delete_after = row.delete_after,
                             .created_at = row.created_at,
                             .updated_at = row.updated_at},
            .version = row.version};
}

VersionedOrganization to_versioned(queries::CreatedRow row) {
    return {.organization = {.id = row.id,
                             .name = std::move(row.name),
                             .slug = std::move(row.slug),
                             .settings = {},
                             .features = {},
                             .limits = {},
                             .deleted_at = {},
                             .delete_after = {},
                             .created_at = row.created_at,
                             .updated_at = row.updated_at},
            .version = row.version};
}

Problem slug_taken() {
    return {409, "slug-taken", "Another one has this slug.", {{"/slug", "taken", "Choose another one."}}};
}

void refuse_reserved(std::string_view slug) {
    if (is_reserved_slug(slug)) throw problems::invalid_field("/slug", "reserved", "This one is kept for us.");
}

void check_version(api::IfMatch const& match, std::int64_t version) {
    if (match.anything || std::ranges::find(match.versions, version) != match.versions.end()) return;
    throw problems::precondition_failed("The organization has changed since the version that If-Match names.");
}

// The id of what a call with an Idempotency-Key makes, the same each time (RFC 9562 section 5.8); a new one without.
OrganizationId id_of_made(api::Call const& call, UserId owner) {
    auto const key = call.request().header("Idempotency-Key");
    if (!key) return OrganizationId::make();
    auto const sum = sha256(owner.to_string() + '\n' + std::string(*key) + '\n' + std::string(call.request().body));
    OrganizationId id;
    std::copy_n(sum.begin(), id.value.bytes.size(), id.value.bytes.begin());
    id.value.bytes[6] = static_cast<std::uint8_t>((id.value.bytes[6] & 0x0fU) | 0x80U);
    id.value.bytes[8] = static_cast<std::uint8_t>((id.value.bytes[8] & 0x3fU) | 0x80U);
    return id;
}

std::string merged(std::string_view name, postgres::Json const& now_is,
                   json::Patch<boost::json::object> const& change) {
    if (!change.has_value()) return now_is.text;
    boost::json::value value = object_of(now_is);
    json::merge_patch(value, change.value());
    if (json::check_free_json(value, most_settings_bytes, settings_depth) != json::FreeJson::fits) {
        throw problems::invalid_field('/' + std::string(name), "too-long",
                                      "Together with what is there, it is too long.");
    }
    return boost::json::serialize(value);
}

MyOrganization to_mine(queries::MineRow row) {
    return {.id = row.id,
            .name = std::move(row.name),
            .slug = std::move(row.slug),
            .role = row.role ? parse_role(*row.role) : std::nullopt,
            .deleted_at = row.deleted_at,
            .delete_after = row.delete_after,
            .created_at = row.created_at};
}

task<std::vector<MyOrganization>> list_mine(postgres::SystemPool& pool, UserId user, std::string after,
                                            OrganizationId after_id, std::int64_t limit) {
    queries::ListMine const query{.user_id = user, .after = after, .after_id = after_id, .limit = limit};
    auto rows = co_await pool.all("list_organizations", query);
    std::vector<MyOrganization> mine;
    mine.reserve(rows.size());
    for (auto& row : rows) mine.push_back(to_mine(std::move(row)));
    co_return mine;
}

constexpr std::int64_t first_page = 101;  // the longest, and one more

task<std::optional<std::string>> load_first(postgres::SystemPool& pool, UserId user) {
    auto const mine = co_await list_mine(pool, user, {}, {}, first_page);
    co_return json::encode(mine);
}

// What is asked at every start of a client is kept for a while; what follows is not.
task<std::vector<MyOrganization>> first_of_mine(api::Shard& shard, UserId user, std::int64_t limit) {
    if (!shard.people) co_return co_await list_mine(shard.system, user, {}, {}, limit);
    auto& pool = shard.system;
    identity::PeopleCache::Load const load = [&pool, user] { return load_first(pool, user); };
    auto const text = co_await shard.people->organizations(user, load);
    auto mine = json::decode<std::vector<MyOrganization>>(*text);
    if (std::ssize(mine) > limit) mine.erase(mine.begin() + limit, mine.end());
    co_return mine;
}

void forget_list_of(api::Shard& shard, UserId user) {
    if (shard.people) shard.people->forget_organizations(user);
}

}  // namespace

task<VersionedOrganization> create_organization(api::Call const& call, NewOrganization draft) {
    auto const owner = person_of(call.principal());
    if (draft.slug) refuse_reserved(*draft.slug);
    auto const id = id_of_made(call, owner);
    auto const made_slug = draft.slug ? *draft.slug : slug_from(draft.name);
    auto const ending = id.to_string().substr(28);
    auto const other_slug = made_slug.empty() ? "organization-" + ending : made_slug + '-' + ending;

    auto tx = call.shard().system.begin("create_organization", call.actor());
    queries::FindMade const find{.id = id, .user_id = owner};
    queries::CountOwned const count{.user_id = owner};
    auto [made, owned] = co_await tx.pipeline(find, count);
    if (made) {
        co_await tx.rollback();
        co_return to_versioned(std::move(*made));
    }
    if (owned && owned->count >= most_owned) {
        throw problems::conflict("too-many-organizations",
                                 fmt::format("A person owns at most {} organizations.", most_owned));
    }
    auto const furnish = [&](std::string_view slug) {
        return queries::CreateOrganization{.id = id, .name = draft.name, .slug = slug, .user_id = owner};
    };
    try {
        if (!made_slug.empty() && !is_reserved_slug(made_slug)) {
            auto const query = furnish(made_slug);
            made = co_await tx.one(query);
        }
        if (!made && !draft.slug) {
            auto const query = furnish(other_slug);
            made = co_await tx.one(query);
        }
    } catch (postgres::Error const& error) {
        if (!error.violates("organizations_pkey")) throw;
        throw problems::conflict("already-made", "This call has made an organization that is not yours any more.");
    }
    if (!made) throw slug_taken();
    co_await tx.commit();
    forget_list_of(call.shard(), owner);
    co_return to_versioned(std::move(*made));
}

task<std::vector<MyOrganization>> my_organizations(api::Call const& call, AfterOrganization after, std::int64_t limit) {
    auto const& who = call.principal();
    std::vector<MyOrganization> mine;
    if (who.user() && !who.api_key()) {
        if (!after) co_return co_await first_of_mine(call.shard(), *who.user(), limit);
        co_return co_await list_mine(call.shard().system, *who.user(), std::get<0>(*after), std::get<1>(*after), limit);
    }
    if (after) co_return mine;
    auto found = co_await get_organization(call.shard().postgres, who, who.organization());
    if (!found) co_return mine;
    auto& one = found->organization;
    mine.push_back({.id = one.id,
                    .name = std::move(one.name),
                    .slug = std::move(one.slug),
                    .role = parse_role(who.role()),
                    .deleted_at = one.deleted_at,
                    .delete_after = one.delete_after,
                    .created_at = one.created_at});
    co_return mine;
}

task<std::optional<VersionedOrganization>> get_organization(postgres::Pool& pool, Principal const& principal,
                                                            OrganizationId id) {
    queries::GetOrganization const query{.id = id};
    auto row = co_await pool.one(principal, query);
    if (!row) co_return std::nullopt;
    co_return to_versioned(std::move(*row));
}

task<VersionedOrganization> change_organization(api::Tx& tx, OrganizationId id, OrganizationChange change,
                                                api::IfMatch match) {
    if (change.slug.has_value()) refuse_reserved(change.slug.value());
    queries::LockOrganization const lock{.id = id};
    auto now_is = co_await tx.one(lock);
    if (!now_is) throw problems::not_found();
    check_version(match, now_is->version);
    if (change.is_empty()) co_return to_versioned(std::move(*now_is));
    auto const settings = merged("settings", now_is->settings, change.settings);
    auto const features = merged("features", now_is->features, change.features);
    change.name.apply_to(now_is->name);
    change.slug.apply_to(now_is->slug);
    queries::ChangeOrganization const query{.id = id,
                                            .name = now_is->name,
                                            .slug = now_is->slug,
                                            .settings = postgres::JsonView{settings},
                                            .features = postgres::JsonView{features}};
    try {
        auto row = co_await tx.commit_with(query);
        if (!row) throw problems::not_found();
        co_return to_versioned(std::move(*row));
    } catch (postgres::Error const& error) {
        if (!error.violates("organizations_slug_key")) throw;
    }
    throw slug_taken();
}

task<VersionedOrganization> delete_organization(api::Tx& tx, OrganizationId id, Deletion deletion, api::IfMatch match) {
    queries::LockOrganization const lock{.id = id};
    auto now_is = co_await tx.one(lock);
    if (!now_is) throw problems::not_found();
    check_version(match, now_is->version);
    if (deletion.confirm != now_is->slug) {
        throw problems::invalid_field("/confirm", "mismatch", "Type the organization's slug to delete it.");
    }
    queries::CloseOrganization const query{.grace_days = grace_days, .id = id};
    auto row = co_await tx.commit_with(query);
    co_return row ? to_versioned(std::move(*row)) : to_versioned(std::move(*now_is));
}

task<VersionedOrganization> restore_organization(api::Tx& tx, UserId owner, OrganizationId id) {
    queries::LockOrganization const lock{.id = id};
    auto const now_is = co_await tx.one(lock);
    if (!now_is) throw problems::not_found();
    if (!now_is->deleted_at) throw problems::conflict("not-deleted", "The organization is not being deleted.");
    queries::RestoreOrganization const query{.id = id, .user_id = owner};
    auto row = co_await tx.commit_with(query);
    if (!row) throw problems::forbidden("An OWNER restores an organization.");
    co_return to_versioned(std::move(*row));
}

task<std::uint64_t> purge_deleted_organizations(postgres::SystemPool& system) {
    queries::PurgeOne const query;
    std::uint64_t purged = 0;
    for (;;) {
        auto const gone = co_await system.one("purge_organizations", query, postgres::Lane::heavy);
        if (!gone) co_return purged;
        ++purged;
    }
}

}  // namespace buildplan::organizations
