#include "features/identity/service.hpp"

#include <stdexcept>

#include "features/identity/api_key.hpp"
#include "features/identity/api_keys/queries.gen.hpp"
#include "features/identity/authentication.hpp"
#include "features/identity/queries.gen.hpp"

namespace buildplan::identity {
namespace {

constexpr std::string_view first_slug = "local";
constexpr std::string_view work = "open_first_organization";
constexpr std::string_view owners_work = "installation_owners";

}  // namespace

task<ApiKeyId> create_service_key(api::Tx& tx, std::string name, std::string key, std::vector<std::string> scopes,
                                  std::optional<Timestamp> expires_at) {
    if (kind_of_key(key) != KeyKind::service) throw std::logic_error("This is no key of a service.");
    auto const id = ApiKeyId::make();
    auto const hash = hash_of_key(key);
    queries::CreateServiceKey const query{.key_id = id,
                                          .name = name,
                                          .prefix = prefix_of_key(key),
                                          .hash = hash,
                                          .scopes = scopes,
                                          .expires_at = expires_at};
    co_await tx.commit_with(query);
    co_return id;
}

task<std::optional<OrganizationId>> create_organization(postgres::SystemTx& tx, std::string name, std::string slug) {
    queries::CreateOrganization const query{.name = name, .slug = slug};
    auto const made = co_await tx.one(query);
    co_return made ? std::optional{made->id} : std::nullopt;
}

task<OwnerAdded> add_installation_owner(postgres::SystemPool& system, std::string email) {
    queries::AddInstallationOwner const query{.email = email};
    auto const row = co_await system.one(owners_work, query, postgres::Lane::writing);
    if (!row) co_return OwnerAdded::nobody;
    co_return row->added ? OwnerAdded::added : OwnerAdded::was_one;
}

task<bool> remove_installation_owner(postgres::SystemPool& system, std::string email) {
    queries::RemoveInstallationOwner const query{.email = email};
    auto const rows = co_await system.run(owners_work, query, postgres::Lane::writing);
    co_return rows > 0;
}

task<std::vector<InstallationOwner>> installation_owners(postgres::SystemPool& system) {
    queries::ListInstallationOwners const query;
    auto rows = co_await system.all(owners_work, query);
    std::vector<InstallationOwner> owners;
    for (auto& row : rows) owners.push_back({row.user_id, std::move(row.email), std::move(row.name), row.created_at});
    co_return owners;
}

task<> open_first_organization(postgres::SystemPool& system, postgres::Pool& pool, std::string key) {
    auto const hash = hash_of_key(key);
    api_keys::queries::FindKey const find_key{.hash = hash};
    queries::AnyOrganization const any_organization;
    auto const [known, any] = co_await system.pipeline(work, find_key, any_organization);
    queries::MarkInstallationKey const mark{.hash = hash};
    if (known) {
        if (!known->installation) co_await system.run(work, mark, postgres::Lane::writing);
        co_return;
    }
    if (any && !any->found) {
        auto tx = system.begin(work);
        co_await create_organization(tx, "My organization", std::string(first_slug));
        co_await tx.commit();
    }
    queries::FindOrganization const find_organization{.slug = first_slug};
    auto const organization = co_await system.one(work, find_organization);
    if (!organization) co_return;
    auto const us = Authentication::act_for(organization->id, {});
    auto tx = pool.begin(*us);
    api::Tx open(tx);
    co_await create_service_key(open, "First key of this installation", std::move(key), {"*"});
    co_await system.run(work, mark, postgres::Lane::writing);
}

}  // namespace buildplan::identity
