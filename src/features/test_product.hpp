// For tests: the product's own tables behind its own authentication, and organizations with keys.
#pragma once

#include "api/test_server.hpp"
#include "features/identity/api_key.hpp"
#include "features/identity/authentication.hpp"
#include "features/identity/sign_in/entrance.hpp"
#include "features/route_table.hpp"

namespace buildplan::features::testing {

using api::testing::HttpAnswer;

// An organization with a key, put into the database as the superuser.
struct KeyHolder {
    OrganizationId id = OrganizationId::make();
    std::string key = identity::make_key(identity::KeyKind::service);

    explicit KeyHolder(std::string_view scopes = "*") {
        api::testing::superuser().query("INSERT INTO organizations (id, name, slug) VALUES ($1::uuid, 'Test', $2)",
                                        {id.to_string(), id.to_string()});
        add_key(key, scopes);
    }
    void add_key(std::string const& another, std::string_view scopes, std::string_view expires = "infinity") const {
        api::testing::superuser().query(
            "INSERT INTO api_keys (organization_id, kind, name, prefix, hash, scopes, expires_at) "
            "VALUES ($1::uuid, 'service', 'Test', 'bp_svc_', decode($2, 'hex'), string_to_array($3, ' '), "
            "nullif($4, 'infinity')::timestamptz)",
            {id.to_string(), to_hex(identity::hash_of_key(another)), std::string(scopes), std::string(expires)});
    }
    [[nodiscard]] std::string auth() const { return "Authorization: Bearer " + key + "\r\n"; }
    [[nodiscard]] std::string json() const { return auth() + "Content-Type: application/json\r\n"; }
    [[nodiscard]] std::string merge() const { return auth() + "Content-Type: application/merge-patch+json\r\n"; }
    [[nodiscard]] std::string value(std::string_view sql) const {
        return api::testing::superuser().value(std::string(sql), {id.to_string()}).value_or("");
    }
};

inline api::testing::ServerWishes product_wishes() {
    api::testing::ServerWishes wishes;
    wishes.authenticator = [](Loop& loop, postgres::SystemPool& system) {
        return std::make_unique<identity::Authentication>(loop, system);
    };
    return wishes;
}

// Outlives the server, whose last requests may still use it.
struct ProductParts {
    std::optional<identity::Entrance> entrance;
};

class Product : private ProductParts, public api::testing::TestServer {
public:
    explicit Product(api::testing::ServerWishes wishes = product_wishes(), bool limits_attempts = false)
        : TestServer(route_tables(), std::move(wishes)) {
        run([](Product& self, bool limits) -> task<> {
            auto& here = self.shard();
            here.tokens = &self.authentication().tokens();
            self.entrance.emplace(
                here.offload, here.redis,
                identity::Entrance::Options{.secret = "a secret for tests", .limits_attempts = limits});
            here.entrance = &*self.entrance;
            co_return;
        }(*this, limits_attempts));
    }
    [[nodiscard]] identity::Authentication& authentication() {
        return dynamic_cast<identity::Authentication&>(shard().authenticator);
    }
};

}  // namespace buildplan::features::testing
