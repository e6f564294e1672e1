// For tests: people at work in an organization.
#pragma once

#include <gtest/gtest.h>

#include "features/test_people.hpp"

namespace buildplan::organizations::testing {

using features::testing::HttpAnswer;
using features::testing::KeyHolder;
using features::testing::Person;
using features::testing::Product;

// Somebody who asks for one organization, or for none.
class Caller {
public:
    Caller(Product& server, Person const& person, std::optional<OrganizationId> organization)
        : server_(&server), auth_(person.auth(server, organization)) {}

    HttpAnswer get(std::string const& target) const { return server_->ask("GET", target, auth_); }
    HttpAnswer post(std::string const& target, std::string_view body = {}, std::string_view headers = {}) const {
        auto const media = body.empty() ? "" : "Content-Type: application/json\r\n";
        return server_->ask("POST", target, auth_ + media + std::string(headers), body);
    }
    HttpAnswer patch(std::string const& target, std::string_view body, std::string const& etag = {}) const {
        return server_->ask("PATCH", target, auth_ + "Content-Type: application/merge-patch+json\r\n" + match(etag),
                            body);
    }
    HttpAnswer remove(std::string const& target, std::string_view body = {}, std::string const& etag = {}) const {
        auto const media = body.empty() ? "" : "Content-Type: application/json\r\n";
        return server_->ask("DELETE", target, auth_ + media + match(etag), body);
    }
    [[nodiscard]] std::string const& auth() const noexcept { return auth_; }

private:
    static std::string match(std::string const& etag) { return etag.empty() ? "" : "If-Match: " + etag + "\r\n"; }

    Product* server_;
    std::string auth_;
};

class OrganizationsTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    Caller as(Person const& person) const { return {*server, person, us.id}; }
    std::string member_of(Person const& person) const {
        return api::testing::superuser()
            .value("SELECT id FROM organization_members WHERE organization_id = $1::uuid AND user_id = $2::uuid",
                   {us.id.to_string(), person.id.to_string()})
            .value_or("");
    }
    std::string role_of(Person const& person) const {
        return api::testing::superuser()
            .value("SELECT role FROM organization_members WHERE organization_id = $1::uuid AND user_id = $2::uuid",
                   {us.id.to_string(), person.id.to_string()})
            .value_or("");
    }
    void change(std::string_view sql) const { static_cast<void>(us.value(sql)); }
    // What the outbox and the audit log say of the organization, in order.
    std::string topics() const {
        return us.value(
            "SELECT coalesce(string_agg(topic, ' ' ORDER BY created_at, id), '') FROM outbox "
            "WHERE organization_id = $1::uuid");
    }
    std::string recorded() const {
        return us.value(
            "SELECT coalesce(string_agg(action, ' ' ORDER BY seq), '') FROM audit_log "
            "WHERE organization_id = $1::uuid");
    }
    std::string owners() const {
        return us.value(
            "SELECT count(*) FROM organization_members WHERE organization_id = $1::uuid AND role = 'OWNER'");
    }

    static inline std::unique_ptr<Product> server;
    KeyHolder us;
    Person owner{us, "OWNER"};
};

}  // namespace buildplan::organizations::testing
