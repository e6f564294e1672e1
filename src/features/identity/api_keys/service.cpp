#include "features/identity/api_keys/service.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/keyset.hpp"
#include "features/identity/api_keys/queries.gen.hpp"
#include "features/organizations/roles.hpp"

namespace buildplan::identity {
namespace {

namespace queries = api_keys::queries;

constexpr std::int64_t most_personal = 100, most_of_services = 1000;
constexpr std::chrono::days personal_standard{90}, personal_longest{366};
constexpr std::string_view services = "service", persons = "personal";

VersionedKey to_key(queries::KeyRow row) {
    return {.key = {.id = row.id,
                    .kind = row.kind == services ? KeyKind::service : KeyKind::personal,
                    .name = std::move(row.name),
                    .prefix = std::move(row.prefix),
                    .scopes = std::move(row.scopes),
                    .user_id = row.user_id,
                    .created_by = row.created_by,
                    .expires_at = row.expires_at,
                    .last_used_at = row.last_used_at,
                    .revoked_at = row.revoked_at,
                    .created_at = row.created_at},
            .version = row.version};
}

void check_maker(Principal const& who, KeyKind kind) {
    if (!who.has_organization())
        throw Problem(403, "organization-required",
                      "You work in no organization now; POST /auth/switch-org chooses one.");
    if (who.organization_deleted()) {
        throw Problem(403, "organization-deleted",
                      "The organization is being deleted; until then an owner can restore it.");
    }
    if (kind == KeyKind::service) {
        if (!who.may(key_permissions::create)) {
            throw problems::forbidden(fmt::format("A service's key needs the permission {}.", key_permissions::create));
        }
    } else if (!who.session()) {
        // A key that makes keys would outlive its own revocation.
        throw problems::forbidden("Sign in to make a key of your own: a key cannot.");
    }
}

void check_scopes(Principal const& who, std::vector<std::string> const& scopes,
                  std::span<std::string_view const> known) {
    std::vector<FieldError> errors;
    for (std::size_t i = 0; i < scopes.size(); ++i) {
        if (!is_permission(scopes[i], known))
            errors.push_back({fmt::format("/scopes/{}", i), "not-allowed", "There is no such permission."});
    }
    if (!errors.empty()) throw problems::invalid(std::move(errors));
    for (auto const& scope : scopes) {
        if (!who.may(scope))
            throw problems::forbidden(fmt::format("You cannot give {}, which you do not hold.", scope));
    }
}

std::optional<Timestamp> expiry_of(NewApiKey const& draft) {
    auto const time = now();
    auto const wrong = [](std::string detail) {
        return problems::invalid_field("/expiresAt", "out-of-range", std::move(detail));
    };
    if (draft.expires_at && *draft.expires_at <= time) throw wrong("A time that is to come.");
    if (draft.kind == KeyKind::service) return draft.expires_at;
    if (draft.expires_at && *draft.expires_at > time + personal_longest) throw wrong("At most a year from now.");
    return draft.expires_at ? draft.expires_at : time + personal_standard;
}

}  // namespace

bool is_permission(std::string_view scope, std::span<std::string_view const> known) noexcept {
    if (scope == "*") return true;
    auto const fits = [scope](std::string_view permission) {
        return permission != "*" && (permission_covers(permission, scope) || permission_covers(scope, permission));
    };
    // "requests.*" in a role covers "requests. or 1=1", so its form is looked at first.
    auto const plain = scope.ends_with(".*") ? scope.substr(0, scope.size() - 2) : scope;
    if (plain.empty() || plain.starts_with('.') || plain.ends_with('.') || plain.find("..") != std::string_view::npos ||
        plain.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") != std::string_view::npos) {
        return false;
    }
    if (std::ranges::any_of(known, fits)) return true;
    return std::ranges::any_of(organizations::roles,
                               [&fits](auto const& role) { return std::ranges::any_of(role.permissions, fits); });
}

task<NewKey> create_key(api::Tx& tx, Principal const& who, NewApiKey draft, std::span<std::string_view const> known) {
    check_maker(who, draft.kind);
    check_scopes(who, draft.scopes, known);
    auto const expires_at = expiry_of(draft);
    bool const personal = draft.kind == KeyKind::personal;
    auto key = make_key(draft.kind);
    auto const hash = hash_of_key(key);
    queries::CreateKey const query{.key_id = ApiKeyId::make(),
                                   .kind = personal ? persons : services,
                                   .user_id = personal ? who.user() : std::nullopt,
                                   .name = draft.name,
                                   .prefix = prefix_of_key(key),
                                   .hash = hash,
                                   .scopes = draft.scopes,
                                   .expires_at = expires_at,
                                   .created_by = who.user(),
                                   .most = personal ? most_personal : most_of_services};
    auto row = co_await tx.commit_with(query);
    if (!row) {
        throw Problem(409, "too-many-api-keys",
                      fmt::format("There are {} keys already. Revoke one that is not used.", query.most));
    }
    co_return NewKey{std::move(key), to_key(std::move(*row))};
}

task<std::vector<VersionedKey>> list_keys(postgres::Pool& pool, Principal const& who, ApiKeyFilter filter,
                                          AfterKey after, std::int64_t limit) {
    auto const [before, before_id] = after.value_or(std::tuple{end_of_time, last_id<ApiKeyId>()});
    queries::ListKeys const query{.before = before,
                                  .before_id = before_id,
                                  .all = who.may(key_permissions::read),
                                  .user_id = who.user(),
                                  .revoked = filter.revoked,
                                  .limit = limit};
    auto rows = co_await pool.all(who, query);
    std::vector<VersionedKey> keys;
    keys.reserve(rows.size());
    for (auto& row : rows) keys.push_back(to_key(std::move(row)));
    co_return keys;
}

task<std::optional<VersionedKey>> get_key(postgres::Pool& pool, Principal const& who, ApiKeyId id) {
    queries::GetKey const query{.key_id = id, .all = who.may(key_permissions::read), .user_id = who.user()};
    auto row = co_await pool.one(who, query);
    if (!row) co_return std::nullopt;
    co_return to_key(std::move(*row));
}

task<> revoke_key(api::Tx& tx, Principal const& who, ApiKeyId id, api::IfMatch match) {
    queries::RevokeKey const query{.key_id = id,
                                   .all = who.may(key_permissions::revoke),
                                   .user_id = who.user(),
                                   .any_version = match.anything,
                                   .versions = match.versions};
    auto const found = co_await tx.commit_with(query);
    if (!found) throw problems::not_found();
    if (!found->revoked && !found->revoked_at) {
        throw problems::precondition_failed("The key has changed since the version that If-Match names.");
    }
}

}  // namespace buildplan::identity
