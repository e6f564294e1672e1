#include <gtest/gtest.h>

#include <algorithm>

#include "features/identity/sign_in/test_account.hpp"

namespace buildplan::identity {
namespace {

using features::testing::Account;
using features::testing::HttpAnswer;
using features::testing::Product;

constexpr std::string_view json_type = "Content-Type: application/json\r\n";

class SignIn : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    static HttpAnswer log_in(std::string_view email, std::string_view password) {
        return server->ask("POST", "/auth/login", json_type,
                           fmt::format(R"({{"email":"{}","password":"{}"}})", email, password));
    }
    static inline std::unique_ptr<Product> server;
};

TEST_F(SignIn, GivesATokenAndTheOrganizations) {
    Account const us(*server, "Ours");
    auto const answer = us.log_in();
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    auto const organizations = answer.json().at("organizations").as_array();
    ASSERT_EQ(organizations.size(), 1u);
    EXPECT_EQ(organizations[0].at("id").as_string(), us.organization_id);
    EXPECT_EQ(organizations[0].at("name").as_string(), "Ours");
    EXPECT_EQ(organizations[0].at("role").as_string(), "OWNER");
    auto const me = server->ask("GET", "/auth/me", "Authorization: Bearer " + answer.text("token") + "\r\n");
    EXPECT_EQ(me.status, 200) << me.body;
    EXPECT_EQ(me.text("organizationId"), us.organization_id);
}

TEST_F(SignIn, TakesTheAddressInAnyCase) {
    Account us(*server);
    for (char& c : us.email) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    EXPECT_EQ(us.log_in().status, 200);
}

TEST_F(SignIn, AnswersAnUnknownAddressLikeAWrongPassword) {
    Account const us(*server);
    auto const wrong = log_in(us.email, "not the password");
    auto const unknown = log_in("nobody-" + us.email, "not the password");
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.text("code"), "invalid-credentials");
    EXPECT_EQ(unknown.status, wrong.status);
    for (auto const name : {"code", "detail", "title", "type", "instance"})
        EXPECT_EQ(unknown.text(name), wrong.text(name));
    EXPECT_EQ(unknown.body.size(), wrong.body.size());
    EXPECT_TRUE(unknown.header("Set-Cookie").empty());
}

// Whoever measures learns nothing either. One after the other, in changing order; as many as the noise of this machine
// asks for. Without the hash of nobody the medians would differ by a factor of ten.
TEST_F(SignIn, TakesAsLongForAnUnknownAddressAsForAWrongPassword) {
    Account const us(*server);
    auto const unknown_email = "nobody-" + us.email;
    auto client = server->connect();
    auto const time_of = [&](std::string const& email) {
        auto const body = fmt::format(R"({{"email":"{}","password":"not the password"}})", email);
        auto const begin = std::chrono::steady_clock::now();
        auto const answer = client.ask("POST", "/auth/login", json_type, body);
        auto const took = std::chrono::steady_clock::now() - begin;
        EXPECT_EQ(answer.status, 401);
        return std::chrono::duration<double, std::milli>(took).count();
    };
    auto const median = [](std::vector<double> times) {
        auto const middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
        std::ranges::nth_element(times, middle);
        return *middle;
    };
    std::vector<double> known, unknown;
    double difference = 1;
    while (known.size() < 25 || (difference >= 0.05 && known.size() < 400)) {
        if (known.size() % 2 == 0) known.push_back(time_of(us.email));
        unknown.push_back(time_of(unknown_email));
        if (known.size() < unknown.size()) known.push_back(time_of(us.email));
        difference = std::abs(median(known) / median(unknown) - 1);
    }
    EXPECT_LT(difference, 0.05) << median(known) << " ms and " << median(unknown) << " ms of " << known.size();
    RecordProperty("known_ms", std::to_string(median(known)));
    RecordProperty("unknown_ms", std::to_string(median(unknown)));
}

}  // namespace
}  // namespace buildplan::identity
