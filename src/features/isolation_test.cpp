// Plays every case of tests/isolation/cases.hpp through the whole server on a real PostgreSQL.
#include "tests/isolation/cases.hpp"

#include <gtest/gtest.h>

#include "features/test_product.hpp"

namespace buildplan::features::testing {
namespace {

// All rows of an organization, as one text.
std::string everything_of(KeyHolder const& who) {
    return who.value(
        "SELECT string_agg(t, E'\\n' ORDER BY t) FROM ("
        "SELECT w::text AS t FROM workspaces w WHERE organization_id = $1::uuid UNION ALL "
        "SELECT g::text FROM organizations g WHERE id = $1::uuid UNION ALL "
        "SELECT m::text FROM organization_members m WHERE organization_id = $1::uuid UNION ALL "
        "SELECT v::text FROM invitations v WHERE organization_id = $1::uuid UNION ALL "
        "SELECT a::text FROM audit_log a WHERE organization_id = $1::uuid UNION ALL "
        "SELECT o::text FROM outbox o WHERE organization_id = $1::uuid UNION ALL "
        "SELECT k::text FROM api_keys k WHERE organization_id = $1::uuid AND name LIKE 'Secret %' UNION ALL "
        "SELECT i::text FROM idempotency_keys i WHERE organization_id = $1::uuid) AS all_rows");
}

class CrossTenant : public ::testing::TestWithParam<isolation::Case> {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    std::string target() const {
        std::string path{GetParam().path};
        for (auto open = path.find('{'); open != std::string::npos; open = path.find('{')) {
            path.replace(open, path.find('}', open) - open + 1, id);
        }
        return path;
    }
    std::string media() const {
        return GetParam().method == "PATCH" ? "Content-Type: application/merge-patch+json\r\n"
                                            : "Content-Type: application/json\r\n";
    }
    HttpAnswer ask(std::string const& headers) const {
        std::string body{GetParam().body};
        if (auto const at = body.find("{id}"); at != std::string::npos) body.replace(at, 4, id);
        return server->ask(GetParam().method, target(), headers + media(), body);
    }

    static inline std::unique_ptr<Product> server;
    KeyHolder ours;
    KeyHolder theirs;
    std::string id = ours.value(std::string(GetParam().make));
    std::string before = everything_of(ours);
};

TEST_P(CrossTenant, AnotherOrganizationReachesNothing) {
    auto const answer = ask(theirs.auth());
    switch (GetParam().reach) {
        case isolation::Reach::one: {
            EXPECT_EQ(answer.status, 404) << answer.body;
            // Not there and not yours cannot be told apart.
            auto const ours_id = std::exchange(id, OrganizationId::make().to_string());
            auto const nothing = ask(theirs.auth());
            EXPECT_EQ(nothing.status, 404);
            EXPECT_EQ(nothing.text("detail"), answer.text("detail"));
            EXPECT_EQ(nothing.text("code"), answer.text("code"));
            break;
        }
        case isolation::Reach::list:
            EXPECT_EQ(answer.status, 200) << answer.body;
            EXPECT_EQ(answer.body.find(id), std::string::npos) << answer.body;
            break;
        case isolation::Reach::create:
            EXPECT_TRUE(answer.status == 201 || answer.status == 202) << answer.body;
            break;
    }
    EXPECT_EQ(everything_of(ours), before);
}

TEST_P(CrossTenant, AKeyWithoutThePermissionIsForbidden) {
    auto const weak = identity::make_key(identity::KeyKind::service);
    ours.add_key(weak, "nothing.at_all");
    auto const answer = ask("Authorization: Bearer " + weak + "\r\n");
    if (!GetParam().own_only || GetParam().reach == isolation::Reach::create) {
        EXPECT_EQ(answer.status, 403) << answer.body;
    } else if (GetParam().reach == isolation::Reach::one) {
        EXPECT_EQ(answer.status, 404) << answer.body;
    } else {
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.body.find(id), std::string::npos) << answer.body;
    }
    EXPECT_EQ(everything_of(ours), before);
}

TEST_P(CrossTenant, AnExpiredKeyIsNobody) {
    auto const old = identity::make_key(identity::KeyKind::service);
    ours.add_key(old, "*", "2020-01-01");
    EXPECT_EQ(ask("Authorization: Bearer " + old + "\r\n").status, 401);
    EXPECT_EQ(everything_of(ours), before);
}

TEST_P(CrossTenant, NobodyIsUnauthenticated) {
    EXPECT_EQ(ask("").status, 401);
    EXPECT_EQ(everything_of(ours), before);
}

// Whoever declares `versioned` on a change has to pass If-Match on to the statement.
TEST_P(CrossTenant, AnotherVersionIsRefusedWhereIfMatchIsTaken) {
    for (auto const& table : route_tables()) {
        for (auto const& route : table) {
            if (to_text(route.method) != GetParam().method || route.path != GetParam().path) continue;
            auto const status = ask(ours.auth() + "If-Match: \"999.000000000000\"\r\n").status;
            EXPECT_EQ(status == 412, route.takes_if_match() && !GetParam().in_person) << status;
            if (route.takes_if_match()) EXPECT_EQ(everything_of(ours), before);
        }
    }
}

TEST_P(CrossTenant, ItsOwnOrganizationIsServed) {
    auto const answer = ask(ours.auth());
    if (GetParam().in_person) {
        EXPECT_EQ(answer.text("code"), "person-required") << answer.body;
    } else {
        EXPECT_TRUE(answer.status >= 200 && answer.status < 300) << answer.status << answer.body;
    }
}

INSTANTIATE_TEST_SUITE_P(Routes, CrossTenant, ::testing::ValuesIn(isolation::cases), [](auto const& info) {
    std::string name{info.param.method};
    for (char const c : info.param.path) {
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        name += plain ? c : '_';
    }
    return name;
});

}  // namespace
}  // namespace buildplan::features::testing
