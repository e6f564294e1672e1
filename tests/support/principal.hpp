// For tests: a Principal without anybody having authenticated.
#pragma once

#include "core/principal.hpp"

namespace buildplan::testing {

class PrincipalMaker {
public:
    static Principal make(OrganizationId organization = OrganizationId::make(), std::optional<UserId> user = {},
                          std::vector<std::string> permissions = {"*"}, Principal::Proof proof = {},
                          bool owns_installation = false) {
        return {organization, user, std::move(permissions), {}, proof, false, owns_installation};
    }
};

}  // namespace buildplan::testing
