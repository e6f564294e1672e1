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

    explicit KeyHolder(std::string_view scopes = "*");
    void add_key(std::string const& another, std::string_view scopes, std::string_view expires = "infinity") const;
    [[nodiscard]] std::string auth() const { return "Authorization: Bearer " + key + "\r\n"; }
    [[nodiscard]] std::string json() const { return auth() + "Content-Type: application/json\r\n"; }
    [[nodiscard]] std::string merge() const { return auth() + "Content-Type: application/merge-patch+json\r\n"; }
    [[nodiscard]] std::string value(std::string_view sql) const;
};

api::testing::ServerWishes product_wishes();

// Outlives the server, whose last requests may still use it.
struct ProductParts {
    std::optional<identity::Entrance> entrance;
};

class Product : private ProductParts, public api::testing::TestServer {
public:
    explicit Product(api::testing::ServerWishes wishes = product_wishes(), bool limits_attempts = false);
    [[nodiscard]] identity::Authentication& authentication();
};

}  // namespace buildplan::features::testing
