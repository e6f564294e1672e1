#include <gtest/gtest.h>

#include "features/identity/sign_in/test_account.hpp"

namespace buildplan::identity {
namespace {

using features::testing::Account;
using features::testing::HttpAnswer;
using features::testing::Product;
using features::testing::unused_email;

constexpr std::string_view json_type = "Content-Type: application/json\r\n";

class RegistrationTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    static HttpAnswer register_as(std::string const& email, std::string_view password = "a long and quiet afternoon",
                                  std::string_view organization = "Analytical Engines") {
        return server->ask(
            "POST", "/auth/register", json_type,
            fmt::format(R"({{"name":"Ada Lovelace","email":"{}","password":"{}","organizationName":"{}"}})", email,
                        password, organization));
    }
    // As the superuser; $1 is a uuid.
    static std::string value(std::string_view sql, std::string const& id) {
        return api::testing::superuser().value(std::string(sql), {id}).value_or("");
    }
    static inline std::unique_ptr<Product> server;
};

TEST_F(RegistrationTest, MakesThePersonTheOrganizationAndAllThatBelongsToIt) {
    auto const email = unused_email();
    auto const answer = register_as(email);
    ASSERT_EQ(answer.status, 201) << answer.body;
    auto const body = answer.json();
    EXPECT_EQ(body.at("user").at("email").as_string(), email);
    EXPECT_EQ(body.at("user").at("emailVerified").as_bool(), false);
    EXPECT_FALSE(body.at("user").as_object().contains("passwordHash"));
    EXPECT_EQ(body.at("organization").at("name").as_string(), "Analytical Engines");
    EXPECT_TRUE(body.at("organization").at("slug").as_string().starts_with("analytical-engines"));
    std::string const user{body.at("user").at("id").as_string()};
    std::string const organization{body.at("organization").at("id").as_string()};

    EXPECT_TRUE(value("SELECT password_hash FROM users WHERE id = $1::uuid", user).starts_with("$argon2id$"));
    EXPECT_EQ(value("SELECT string_agg(user_id || ' ' || role, ',') FROM organization_members "
                    "WHERE organization_id = $1::uuid",
                    organization),
              user + " OWNER");
    EXPECT_EQ(value("SELECT tier || ' ' || status FROM subscriptions WHERE organization_id = $1::uuid", organization),
              "FREE active");
    EXPECT_EQ(value("SELECT count(*) FROM usage WHERE organization_id = $1::uuid "
                    "AND period = date_trunc('month', now(), 'UTC')",
                    organization),
              "1");
    EXPECT_EQ(value("SELECT string_agg(topic || ' ' || (payload ->> 'userId'), ',') FROM outbox "
                    "WHERE organization_id = $1::uuid",
                    organization),
              "user.registered " + user);
    EXPECT_EQ(value("SELECT string_agg(topic || ' ' || (payload ->> 'to'), ',') FROM outbox "
                    "WHERE organization_id = $1::uuid",
                    user),
              "mail.verify_email " + email);
    EXPECT_EQ(value("SELECT string_agg(action || ' ' || actor_id || ' ' || address, ',') FROM audit_log "
                    "WHERE organization_id = $1::uuid",
                    organization),
              "organization.created " + user + " 127.0.0.1");
    EXPECT_EQ(value("SELECT count(*) FROM sessions WHERE user_id = $1::uuid", user), "1");
}

TEST_F(RegistrationTest, SignsInToTheNewOrganization) {
    Account const us(*server);
    auto const me = us.get("/auth/me");
    ASSERT_EQ(me.status, 200) << me.body;
    EXPECT_EQ(me.text("organizationId"), us.organization_id);
    EXPECT_EQ(me.text("role"), "OWNER");
    EXPECT_EQ(us.get("/v1/workspaces").status, 200);
}

TEST_F(RegistrationTest, GivesEachOrganizationASlugOfItsOwn) {
    auto const slug = [](HttpAnswer const& answer) {
        return std::string(answer.json().at("organization").at("slug").as_string());
    };
    auto const name = "Slug " + Uuid::v7().to_string().substr(24);
    auto const first = register_as(unused_email(), "a long and quiet afternoon", name);
    auto const second = register_as(unused_email(), "a long and quiet afternoon", name);
    auto const nameless = register_as(unused_email(), "a long and quiet afternoon", "株式会社");
    ASSERT_EQ(second.status, 201) << second.body;
    EXPECT_NE(slug(first), slug(second));
    EXPECT_TRUE(slug(second).starts_with(slug(first) + "-"));
    ASSERT_EQ(nameless.status, 201) << nameless.body;
    EXPECT_TRUE(slug(nameless).starts_with("organization-"));
}

TEST_F(RegistrationTest, RefusesAnAddressThatIsTakenInAnyCase) {
    Account const us(*server);
    auto loud = us.email;
    loud[0] = 'S';
    for (auto const& email : {us.email, loud}) {
        auto const answer = register_as(email);
        EXPECT_EQ(answer.status, 409);
        EXPECT_EQ(answer.text("code"), "email-taken");
        EXPECT_EQ(answer.json().at("errors").at(0).at("pointer").as_string(), "/email");
    }
    EXPECT_EQ(us.value("SELECT count(*) FROM users WHERE email_lc = (SELECT email_lc FROM users WHERE id = $1::uuid)"),
              "1");
}

TEST_F(RegistrationTest, OfTwoAtOnceWithOneAddressOneIsMade) {
    auto const email = unused_email();
    auto const body = fmt::format(
        R"({{"name":"Twin","email":"{}","password":"a long and quiet afternoon","organizationName":"Twins"}})", email);
    std::deque<api::testing::HttpClient> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back(server->port());
        clients.back().send("POST", "/auth/register", json_type, body);
    }
    std::multiset<int> statuses;
    for (auto& client : clients) statuses.insert(client.receive().status);
    EXPECT_EQ(statuses.count(201), 1u);
    EXPECT_EQ(statuses.count(409), 3u);
}

TEST_F(RegistrationTest, RefusesPasswordsThatAreEasilyGuessed) {
    for (auto const& [password, code] : {std::pair{"password1", "common"}, std::pair{"Lovelace1815", "guessable"},
                                         std::pair{"sh0rt!", "too-short"}, std::pair{"12345678", "guessable"}}) {
        auto const answer = register_as(unused_email(), password);
        EXPECT_EQ(answer.status, 422) << password;
        EXPECT_EQ(answer.json().at("errors").at(0).at("pointer").as_string(), "/password");
        EXPECT_EQ(answer.json().at("errors").at(0).at("code").as_string(), code);
        EXPECT_EQ(answer.body.find(password), std::string::npos) << "it is in the answer";
    }
}

TEST_F(RegistrationTest, RefusesWhatIsTooLongOrNoAddress) {
    EXPECT_EQ(register_as("nobody").status, 422);
    EXPECT_EQ(register_as(std::string(250, 'a') + "@example.com").status, 422);
    EXPECT_EQ(register_as(unused_email(), std::string(257, 'x') + "y").status, 422);
    EXPECT_EQ(register_as(unused_email(), "a long and quiet afternoon", std::string(201, 'x')).status, 422);
    EXPECT_EQ(register_as(unused_email(), "a long and quiet afternoon", "").status, 422);
}

TEST_F(RegistrationTest, IsBoundedForOneAddress) {
    Product limited(features::testing::product_wishes(), true);
    auto const from = [&](std::string const& address) {
        api::testing::HttpClient client(limited.port(), address);
        return client.ask("POST", "/auth/register", json_type,
                          R"({"name":"A","email":"no mail address","password":"x","organizationName":"B"})");
    };
    // What does not fit is not counted; what fits is, before any work is done.
    for (int i = 0; i < 20; ++i) EXPECT_EQ(from("127.0.0.1").status, 422);
    auto const good = [&](std::string const& address) {
        api::testing::HttpClient client(limited.port(), address);
        return client.ask("POST", "/auth/register", json_type,
                          fmt::format(R"({{"name":"A","email":"{}","password":"password1","organizationName":"B"}})",
                                      unused_email()));
    };
    HttpAnswer last;
    for (int i = 0; i < 11; ++i) last = good("127.0.0.1");
    EXPECT_EQ(last.status, 429);
    EXPECT_EQ(last.text("code"), "too-many-attempts");
    EXPECT_GE(std::stoi(last.header("Retry-After")), 1);
    EXPECT_EQ(good("127.0.0.2").status, 422);
}

}  // namespace
}  // namespace buildplan::identity
