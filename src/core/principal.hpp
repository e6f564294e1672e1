// Who is asking, for which organization, and what they may do. Only authentication makes one, and for a job whoever
// runs it; nothing reaches a tenant's rows without one: this is what keeps a forgotten check from becoming a leak.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/id.hpp"

namespace buildplan {

namespace identity {
class Authentication;
}
namespace queue::jobs {
class JobPrincipal;  // whoever a job works for
}
namespace testing {
class PrincipalMaker;  // tests/support; no program of ours links it
}

// Whether a granted permission covers a wanted one: equal, "*", or a prefix before ".*" ("org.members.*").
constexpr bool permission_covers(std::string_view granted, std::string_view wanted) noexcept {
    if (granted == "*" || granted == wanted) return true;
    return granted.ends_with(".*") && wanted.starts_with(granted.substr(0, granted.size() - 1));
}

class Principal {
public:
    // What was shown to prove it: the session of a token, or an API key; neither for work of the program's own.
    struct Proof {
        std::optional<SessionId> session;
        std::optional<ApiKeyId> key;
    };

    // For somebody who is signed in without an organization, their own id stands in its place: no row of a tenant has
    // it, and what is kept by organization (idempotency, limits) is then kept for them alone.
    [[nodiscard]] OrganizationId organization() const noexcept { return organization_; }
    [[nodiscard]] bool has_organization() const noexcept { return !user_ || organization_.value != user_->value; }
    // It is being deleted: nothing that needs a permission is done in it.
    [[nodiscard]] bool organization_deleted() const noexcept { return organization_deleted_; }
    // The text that PostgreSQL is given, made once.
    [[nodiscard]] std::string_view organization_text() const noexcept { return organization_text_; }
    // Nobody for a service's key.
    [[nodiscard]] std::optional<UserId> user() const noexcept { return user_; }
    // "OWNER"; empty for a service's key and without an organization. For showing and recording: what somebody may is
    // asked of `may`.
    [[nodiscard]] std::string_view role() const noexcept { return role_; }
    [[nodiscard]] std::optional<SessionId> session() const noexcept { return proof_.session; }
    [[nodiscard]] std::optional<ApiKeyId> api_key() const noexcept { return proof_.key; }
    [[nodiscard]] bool may(std::string_view permission) const noexcept {
        for (auto const& granted : permissions_) {
            if (permission_covers(granted, permission)) return true;
        }
        return false;
    }
    [[nodiscard]] std::vector<std::string> const& permissions() const noexcept { return permissions_; }
    // Runs the installation. No permission of an organization is this, "*" neither.
    [[nodiscard]] bool owns_installation() const noexcept { return owns_installation_; }

private:
    friend class identity::Authentication;
    friend class queue::jobs::JobPrincipal;
    friend class testing::PrincipalMaker;
    Principal(OrganizationId organization, std::optional<UserId> user, std::vector<std::string> permissions,
              std::string role = {}, Proof proof = {}, bool organization_deleted = false,
              bool owns_installation = false)
        : organization_(organization),
          organization_text_(organization.to_string()),
          user_(user),
          permissions_(std::move(permissions)),
          role_(std::move(role)),
          proof_(proof),
          organization_deleted_(organization_deleted),
          owns_installation_(owns_installation) {}

    OrganizationId organization_;
    std::string organization_text_;
    std::optional<UserId> user_;
    std::vector<std::string> permissions_;
    std::string role_;
    Proof proof_;
    bool organization_deleted_ = false;
    bool owns_installation_ = false;
};

}  // namespace buildplan
