// For tests: people with a session, members of organizations, and the tokens that speak for them.
#pragma once

#include "features/identity/tokens/issuer.hpp"
#include "features/test_product.hpp"

namespace buildplan::features::testing {

// Put into the database as the superuser.
struct Person {
    UserId id = UserId::make();
    SessionId session = SessionId::make();

    Person() {
        query("INSERT INTO users (id, email, name, password_hash) VALUES ($1::uuid, $1 || '@example.com', 'Test', '-')",
              {id.to_string()});
        sign_in(session);
    }
    Person(KeyHolder const& organization, std::string_view role) : Person() { join(organization.id, role); }

    void sign_in(SessionId another) const {
        query(
            "INSERT INTO sessions (id, user_id, refresh_hash, expires_at) VALUES ($1::uuid, $2::uuid, "
            "sha256(convert_to($1::uuid::text, 'UTF8')), now() + interval '1 day')",
            {another.to_string(), id.to_string()});
    }
    void join(OrganizationId organization, std::string_view role) const {
        query("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1::uuid, $2::uuid, $3)",
              {organization.to_string(), id.to_string(), std::string(role)});
    }
    void become(OrganizationId organization, std::string_view role) const {
        query("UPDATE organization_members SET role = $3 WHERE organization_id = $1::uuid AND user_id = $2::uuid",
              {organization.to_string(), id.to_string(), std::string(role)});
    }
    void leave(OrganizationId organization) const {
        query("DELETE FROM organization_members WHERE organization_id = $1::uuid AND user_id = $2::uuid",
              {organization.to_string(), id.to_string()});
    }
    void sign_out() const {
        query("UPDATE sessions SET revoked_at = now() WHERE id = $1::uuid", {session.to_string()});
    }

    [[nodiscard]] std::string token(Product& server, std::optional<OrganizationId> organization) const {
        identity::IssuedToken issued;
        server.run([](api::Shard& shard, SessionId s, UserId u, std::optional<OrganizationId> o,
                      identity::IssuedToken& out) -> task<> {
            out = co_await identity::issue_access_token(shard, s, u, o);
        }(server.shard(), session, id, organization, issued));
        return issued.text;
    }
    [[nodiscard]] std::string auth(Product& server, std::optional<OrganizationId> organization) const {
        return "Authorization: Bearer " + token(server, organization) + "\r\n";
    }
    [[nodiscard]] std::string json(Product& server, std::optional<OrganizationId> organization) const {
        return auth(server, organization) + "Content-Type: application/json\r\n";
    }

    static void query(std::string const& sql, std::initializer_list<std::string> parameters) {
        api::testing::superuser().query(sql, parameters);
    }
};

}  // namespace buildplan::features::testing
