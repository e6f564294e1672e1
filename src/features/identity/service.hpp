// What identity does with keys and organizations.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/tx.hpp"
#include "core/time.hpp"
#include "features/identity/types.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {

// Keeps a key that make_key made, for a service of the transaction's organization. `scopes` are permissions.
task<ApiKeyId> create_service_key(api::Tx& tx, std::string name, std::string key, std::vector<std::string> scopes,
                                  std::optional<Timestamp> expires_at = {});

// A new one; nothing when the slug is taken.
task<std::optional<OrganizationId>> create_organization(postgres::SystemTx& tx, std::string name, std::string slug);

// Who runs the installation; see api::installation_owner. Written by the command line alone.
struct InstallationOwner {
    UserId user;
    std::string email, name;
    Timestamp since;
};
enum class OwnerAdded : std::uint8_t { added, was_one, nobody };  // nobody: no account has that address
task<OwnerAdded> add_installation_owner(postgres::SystemPool& system, std::string email);
task<bool> remove_installation_owner(postgres::SystemPool& system, std::string email);
task<std::vector<InstallationOwner>> installation_owners(postgres::SystemPool& system);

// For an installation that is used on one's own machine: makes sure that there is an organization to begin with ("My
// organization", slug `local`, made only where there is no organization at all) and that `key` (make_key) opens it with
// the scope `*`. Whoever calls it writes the key down first and gives the same one again at the next start: then a
// crash at any moment leaves nothing that the next start does not put right. Does nothing the second time, nor where
// the organization `local` is gone.
task<> open_first_organization(postgres::SystemPool& system, postgres::Pool& pool, std::string key);

}  // namespace buildplan::identity
