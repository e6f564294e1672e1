// For tests: people with a session, members of organizations, and the tokens that speak for them.
#pragma once

#include "features/identity/tokens/issuer.hpp"
#include "features/test_product.hpp"

namespace buildplan::features::testing {

// Put into the database as the superuser.
struct Person {
    UserId id = UserId::make();
    SessionId session = SessionId::make();

    Person();
    Person(KeyHolder const& organization, std::string_view role) : Person() { join(organization.id, role); }

    void sign_in(SessionId another) const;
    void join(OrganizationId organization, std::string_view role) const;
    void become(OrganizationId organization, std::string_view role) const;
    void leave(OrganizationId organization) const;
    void sign_out() const;

    [[nodiscard]] std::string token(Product& server, std::optional<OrganizationId> organization) const;
    [[nodiscard]] std::string auth(Product& server, std::optional<OrganizationId> organization) const {
        return "Authorization: Bearer " + token(server, organization) + "\r\n";
    }
    [[nodiscard]] std::string json(Product& server, std::optional<OrganizationId> organization) const {
        return auth(server, organization) + "Content-Type: application/json\r\n";
    }

    static void query(std::string const& sql, std::initializer_list<std::string> parameters);
};

}  // namespace buildplan::features::testing
