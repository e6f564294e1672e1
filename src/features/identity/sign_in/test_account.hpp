// For tests: accounts that were registered through the API, and what their owners ask.
#pragma once

#include <atomic>

#include "features/test_product.hpp"

namespace buildplan::features::testing {

inline std::string unused_email() {
    static std::atomic<int> number{0};
    return fmt::format("somebody-{}-{}@example.com", ++number, Uuid::v7().to_string().substr(24));
}

// Somebody with an account, an organization of their own, and a session that works there.
struct Account {
    Product& server;
    std::string email = unused_email();
    std::string password = "a long and quiet afternoon";
    std::string token, refresh_token, user_id, organization_id;

    explicit Account(Product& server_, std::string_view organization = "Test") : server(server_) {
        auto const answer =
            server.ask("POST", "/auth/register", "Content-Type: application/json\r\n",
                       fmt::format(R"({{"name":"Test Owner","email":"{}","password":"{}","organizationName":"{}"}})",
                                   email, password, organization));
        if (answer.status != 201) throw std::runtime_error("register: " + answer.body);
        auto const body = answer.json();
        keep_tokens(answer);
        user_id = body.at("user").at("id").as_string();
        organization_id = body.at("organization").at("id").as_string();
    }

    void keep_tokens(HttpAnswer const& answer) {
        token = answer.text("token");
        if (answer.json().as_object().contains("refreshToken")) refresh_token = answer.text("refreshToken");
    }
    [[nodiscard]] std::string auth() const { return "Authorization: Bearer " + token + "\r\n"; }
    [[nodiscard]] std::string json() const { return auth() + "Content-Type: application/json\r\n"; }
    [[nodiscard]] HttpAnswer get(std::string_view path) const { return server.ask("GET", path, auth()); }
    [[nodiscard]] HttpAnswer post(std::string_view path, std::string_view body = "{}") const {
        return server.ask("POST", path, json(), body);
    }
    [[nodiscard]] HttpAnswer log_in() const {
        return server.ask("POST", "/auth/login", "Content-Type: application/json\r\n",
                          fmt::format(R"({{"email":"{}","password":"{}"}})", email, password));
    }
    // As the superuser, without an invitation; then works there.
    void join(std::string const& organization, std::string_view role) {
        api::testing::superuser().query(
            "INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1::uuid, $2::uuid, $3)",
            {organization, user_id, std::string(role)});
        auto const answer = post("/auth/switch-org", fmt::format(R"({{"organizationId":"{}"}})", organization));
        if (answer.status != 200) throw std::runtime_error("switch-org: " + answer.body);
        keep_tokens(answer);
    }
    // As the superuser; $1 is the user's id.
    [[nodiscard]] std::string value(std::string_view sql) const {
        return api::testing::superuser().value(std::string(sql), {user_id}).value_or("");
    }
    // What the last letter of that kind carries.
    [[nodiscard]] std::string mailed_token(std::string_view topic) const {
        return value(
            fmt::format("SELECT payload ->> 'token' FROM outbox WHERE organization_id = $1::uuid "
                        "AND topic = '{}' ORDER BY id DESC LIMIT 1",
                        topic));
    }
};

}  // namespace buildplan::features::testing
