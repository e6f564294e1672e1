#include "features/test_product.hpp"

#include "core/crypto.hpp"
#include "features/route_table.hpp"
#include "features/test_people.hpp"

namespace buildplan::features::testing {

KeyHolder::KeyHolder(std::string_view scopes) {
    api::testing::superuser().query("INSERT INTO organizations (id, name, slug) VALUES ($1::uuid, 'Test', $2)",
                                    {id.to_string(), id.to_string()});
    add_key(key, scopes);
}

void KeyHolder::add_key(std::string const& another, std::string_view scopes, std::string_view expires) const {
    api::testing::superuser().query(
        "INSERT INTO api_keys (organization_id, kind, name, prefix, hash, scopes, expires_at) "
        "VALUES ($1::uuid, 'service', 'Test', 'bp_svc_', decode($2, 'hex'), string_to_array($3, ' '), "
        "nullif($4, 'infinity')::timestamptz)",
        {id.to_string(), to_hex(identity::hash_of_key(another)), std::string(scopes), std::string(expires)});
}

std::string KeyHolder::value(std::string_view sql) const {
    return api::testing::superuser().value(std::string(sql), {id.to_string()}).value_or("");
}

api::testing::ServerWishes product_wishes() {
    api::testing::ServerWishes wishes;
    wishes.authenticator = [](Loop& loop, postgres::SystemPool& system) {
        return std::make_unique<identity::Authentication>(loop, system);
    };
    return wishes;
}

Product::Product(api::testing::ServerWishes wishes, bool limits_attempts)
    : TestServer(route_tables(), std::move(wishes)) {
    run([](Product& self, bool limits) -> task<> {
        auto& here = self.shard();
        here.tokens = &self.authentication().tokens();
        self.entrance.emplace(here.offload, here.redis,
                              identity::Entrance::Options{.secret = "a secret for tests", .limits_attempts = limits});
        here.entrance = &*self.entrance;
        co_return;
    }(*this, limits_attempts));
}

identity::Authentication& Product::authentication() {
    return dynamic_cast<identity::Authentication&>(shard().authenticator);
}

// ------------------------------------------------------------------------------------------------------------- people
Person::Person() {
    query(
        "INSERT INTO users (id, email, name, password_hash, email_verified) "
        "VALUES ($1::uuid, $1 || '@example.com', 'Test', '-', true)",
        {id.to_string()});
    sign_in(session);
}

void Person::sign_in(SessionId another) const {
    query(
        "INSERT INTO sessions (id, user_id, refresh_hash, expires_at) VALUES ($1::uuid, $2::uuid, "
        "sha256(convert_to($1::uuid::text, 'UTF8')), now() + interval '1 day')",
        {another.to_string(), id.to_string()});
}

void Person::join(OrganizationId organization, std::string_view role) const {
    query("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1::uuid, $2::uuid, $3)",
          {organization.to_string(), id.to_string(), std::string(role)});
}

void Person::become(OrganizationId organization, std::string_view role) const {
    query("UPDATE organization_members SET role = $3 WHERE organization_id = $1::uuid AND user_id = $2::uuid",
          {organization.to_string(), id.to_string(), std::string(role)});
}

void Person::leave(OrganizationId organization) const {
    query("DELETE FROM organization_members WHERE organization_id = $1::uuid AND user_id = $2::uuid",
          {organization.to_string(), id.to_string()});
}

void Person::sign_out() const {
    query("UPDATE sessions SET revoked_at = now() WHERE id = $1::uuid", {session.to_string()});
}

std::string Person::token(Product& server, std::optional<OrganizationId> organization) const {
    identity::IssuedToken issued;
    server.run([](api::Shard& shard, SessionId s, UserId u, std::optional<OrganizationId> o,
                  identity::IssuedToken& out) -> task<> {
        out = co_await identity::issue_access_token(shard, s, u, o);
    }(server.shard(), session, id, organization, issued));
    return issued.text;
}

void Person::query(std::string const& sql, std::initializer_list<std::string> parameters) {
    api::testing::superuser().query(sql, parameters);
}

}  // namespace buildplan::features::testing
