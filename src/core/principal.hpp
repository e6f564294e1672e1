// Who is asking, for which organization, and what they may do. Only authentication makes one, and nothing reaches a
// tenant's rows without one: this is what keeps a forgotten check from becoming a leak.
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
    [[nodiscard]] OrganizationId organization() const noexcept { return organization_; }
    // The text that PostgreSQL is given, made once.
    [[nodiscard]] std::string_view organization_text() const noexcept { return organization_text_; }
    // Nobody for a service's key.
    [[nodiscard]] std::optional<UserId> user() const noexcept { return user_; }
    [[nodiscard]] bool may(std::string_view permission) const noexcept {
        for (auto const& granted : permissions_) {
            if (permission_covers(granted, permission)) return true;
        }
        return false;
    }
    [[nodiscard]] std::vector<std::string> const& permissions() const noexcept { return permissions_; }

private:
    friend class identity::Authentication;
    friend class testing::PrincipalMaker;
    Principal(OrganizationId organization, std::optional<UserId> user, std::vector<std::string> permissions)
        : organization_(organization),
          organization_text_(organization.to_string()),
          user_(user),
          permissions_(std::move(permissions)) {}

    OrganizationId organization_;
    std::string organization_text_;
    std::optional<UserId> user_;
    std::vector<std::string> permissions_;
};

}  // namespace buildplan
