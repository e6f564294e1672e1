// What can be done with API keys. Everybody has keys of their own; who holds org.api_keys.* has to do with all of the
// organization. Nobody makes a key that may what they may not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/etag.hpp"
#include "api/tx.hpp"
#include "core/principal.hpp"
#include "features/identity/api_keys/types.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {

namespace key_permissions {
inline constexpr std::string_view read = "org.api_keys.read", create = "org.api_keys.create",
                                  revoke = "org.api_keys.revoke";
}

struct VersionedKey {
    ApiKey key;
    std::int64_t version = 0;
};
struct NewKey {
    std::string text;
    VersionedKey made;
};

using AfterKey = std::optional<std::tuple<Timestamp, ApiKeyId>>;

// `known`: permissions that there are, beside those of the roles. Throws 403 for who may not make such a key, 422 for
// scopes that are no permissions and for a time that does not fit, 409 `too-many-api-keys`.
task<NewKey> create_key(api::Tx& tx, Principal const& who, NewApiKey draft, std::span<std::string_view const> known);

task<std::vector<VersionedKey>> list_keys(postgres::Pool& pool, Principal const& who, ApiKeyFilter filter,
                                          AfterKey after, std::int64_t limit);
task<std::optional<VersionedKey>> get_key(postgres::Pool& pool, Principal const& who, ApiKeyId id);

// A key that is revoked stays revoked. Throws 404, 412 where it is another version by now.
task<> revoke_key(api::Tx& tx, Principal const& who, ApiKeyId id, api::IfMatch match);

// Whether a scope is a permission, or a group of them.
bool is_permission(std::string_view scope, std::span<std::string_view const> known) noexcept;

}  // namespace buildplan::identity
