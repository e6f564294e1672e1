// The whole matrix: what each role may do, by permission and by route. The tables here are written out by hand from the
// contract ("Roles & Permissions") and do not look at roles.hpp: whoever adds a route says here who may call it.
#include "features/organizations/roles.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "features/test_people.hpp"

namespace buildplan::organizations {
namespace {

using features::testing::KeyHolder;
using features::testing::Person;
using features::testing::Product;

using Names = std::vector<std::string_view>;

TEST(Roles, HaveThePermissionsOfTheContractWordForWord) {
    auto const contract = [](Role role) {
        auto const own = permissions_of(role).first(row_of(role).of_contract);
        return Names(own.begin(), own.end());
    };
    EXPECT_EQ(contract(Role::owner), (Names{"*"}));
    EXPECT_EQ(contract(Role::admin), (Names{"org.settings.*", "org.members.*", "requests.*", "plans.*", "agents.*"}));
    EXPECT_EQ(contract(Role::manager), (Names{"requests.*", "plans.read", "plans.update", "tasks.read"}));
    EXPECT_EQ(contract(Role::member), (Names{"requests.create", "requests.read", "tasks.update"}));
    EXPECT_EQ(contract(Role::viewer), (Names{"requests.read", "plans.read", "tasks.read"}));
}

struct Expected {
    std::string_view what;
    std::string_view who;  // OWNER, ADMIN, MANAGER, MEMBER (E), VIEWER: of "OAMEV"
};

constexpr Expected permissions[] = {
    {"requests.create", "OAME."},    {"requests.read", "OAMEV"},       {"requests.update", "OAM.."},
    {"requests.delete", "OAM.."},    {"plans.read", "OAM.V"},          {"plans.update", "OAM.."},
    {"plans.create", "OA..."},       {"plans.delete", "OA..."},        {"tasks.read", "OAM.V"},
    {"tasks.update", "OA.E."},       {"tasks.create", "OA..."},        {"agents.read", "OAM.V"},
    {"agents.update", "OA..."},      {"agents.run", "OA..."},          {"org.read", "OAMEV"},
    {"org.settings.read", "OAM.V"},  {"org.settings.update", "OA..."}, {"org.members.read", "OAM.V"},
    {"org.members.invite", "OA..."}, {"org.members.update", "OA..."},  {"org.members.remove", "OA..."},
    {"org.delete", "O...."},         {"org.transfer", "O...."},        {"org.billing.read", "O...."},
    {"org.billing.update", "O...."}, {"org.audit.read", "OA..."},      {"org.usage.read", "OAM.."},
    {"org.api_keys.read", "OA..."},  {"org.api_keys.create", "OA..."}, {"workspaces.read", "OAMEV"},
    {"workspaces.create", "OAM.."},  {"workspaces.update", "OAM.."},   {"workspaces.archive", "OAM.."},
    {"documents.read", "OAMEV"},     {"documents.create", "OAM.."},    {"comments.create", "OAME."},
    {"comments.read", "OAMEV"},      {"repositories.read", "OAM.V"},   {"repositories.create", "OA..."},
    {"work.read", "OAMEV"},          {"work.update", "OAME."},         {"no.such_thing", "O...."},
};

constexpr std::string_view letters = "OAMEV";

TEST(Roles, MayWhatTheContractSaysOfEachPermission) {
    for (auto const& [what, who] : permissions) {
        for (auto const& row : roles) {
            auto const letter = letters[static_cast<std::size_t>(row.role)];
            EXPECT_EQ(may(row.role, what), who.find(letter) != std::string_view::npos) << row.name << " " << what;
        }
    }
}

TEST(Roles, HandOutWhatTheyHoldAndNoMore) {
    for (auto const& granter : roles) {
        for (auto const& granted : roles) {
            bool const expected = granter.role == granted.role || granter.role == Role::owner ||
                                  (granter.role == Role::admin && granted.role != Role::owner);
            if (granter.role == Role::manager || granter.role == Role::member || granter.role == Role::viewer) {
                // They hand out nothing, since they may not invite; what they hold is compared all the same.
                EXPECT_FALSE(may(granter.role, "org.members.invite"));
                EXPECT_FALSE(may(granter.role, "org.members.update"));
                if (granted.role == Role::owner || granted.role == Role::admin) {
                    EXPECT_FALSE(holds_all_of(granter.role, granted.role));
                }
                continue;
            }
            EXPECT_EQ(holds_all_of(granter.role, granted.role), expected) << granter.name << " " << granted.name;
        }
    }
}

TEST(Roles, AreReadAsTheyAreWritten) {
    for (auto const& row : roles) EXPECT_EQ(parse_role(row.name), row.role);
    for (auto const bad : {"", "owner", "OWNER ", "ROOT"}) EXPECT_EQ(parse_role(bad), std::nullopt) << bad;
}

// "-": everybody, without signing in; "*": whoever is signed in, as far as it is theirs.
constexpr Expected routes[] = {
    {"GET /v1/organizations", "*"},
    {"POST /v1/organizations", "*"},
    {"GET /v1/organizations/{organizationId}", "OAMEV"},
    {"PATCH /v1/organizations/{organizationId}", "OA..."},
    {"DELETE /v1/organizations/{organizationId}", "O...."},
    {"POST /v1/organizations/{organizationId}/restore", "*"},
    {"GET /v1/members", "OAM.V"},
    {"GET /v1/members/{memberId}", "OAM.V"},
    {"PATCH /v1/members/{memberId}", "OA..."},
    {"DELETE /v1/members/{memberId}", "OA..."},
    {"DELETE /v1/members/me", "*"},
    {"POST /v1/members/{memberId}/transfer-ownership", "O...."},
    {"GET /v1/invitations", "OAM.V"},
    {"POST /v1/invitations", "OA..."},
    {"GET /v1/invitations/{invitationId}", "OAM.V"},
    {"DELETE /v1/invitations/{invitationId}", "OA..."},
    {"POST /v1/invitations/{invitationId}/resend", "OA..."},
    {"POST /v1/invitations/accept", "*"},
    {"GET /v1/roles", "*"},
    {"GET /v1/workspaces", "OAMEV"},
    {"POST /v1/workspaces", "OAM.."},
    {"GET /v1/workspaces/{workspaceId}", "OAMEV"},
    {"PATCH /v1/workspaces/{workspaceId}", "OAM.."},
    {"DELETE /v1/workspaces/{workspaceId}", "OAM.."},
    {"GET /v1/audit-log", "OA..."},
    {"GET /v1/audit-log/export", "OA..."},
    // Whoever runs the installation.
    {"GET /v1/admin/queues", "!"},
    {"GET /v1/admin/queues/{queue:slug}", "!"},
    {"GET /v1/admin/queues/{queue:slug}/dead-jobs", "!"},
    {"POST /v1/admin/queues/{queue:slug}/dead-jobs/{jobId}/retry", "!"},
    {"POST /v1/admin/queues/{queue:slug}/retry", "!"},
    {"POST /v1/admin/queues/{queue:slug}/pause", "!"},
    {"POST /v1/admin/queues/{queue:slug}/resume", "!"},
    {"POST /v1/admin/queues/{queue:slug}/drain", "!"},
    {"GET /v1/subscription", "O...."},
    {"GET /v1/usage", "OAM.."},
    {"GET /v1/api-keys", "*"},
    {"POST /v1/api-keys", "*"},
    {"GET /v1/api-keys/{apiKeyId}", "*"},
    {"DELETE /v1/api-keys/{apiKeyId}", "*"},
    {"GET /v1/sessions", "*"},
    {"DELETE /v1/sessions/{sessionId}", "*"},
    {"GET /auth/me", "*"},
    {"POST /auth/switch-org", "*"},
    {"POST /auth/logout", "*"},
    {"POST /auth/logout-everywhere", "*"},
    {"POST /auth/change-password", "*"},
    {"POST /auth/resend-verification", "*"},
    {"POST /auth/register", "-"},
    {"POST /auth/login", "-"},
    {"POST /auth/refresh", "-"},
    {"POST /auth/forgot-password", "-"},
    {"POST /auth/reset-password", "-"},
    {"POST /auth/verify-email", "-"},
    {"GET /.well-known/jwks.json", "-"},
    {"GET /health", "-"},
    {"GET /ready", "-"},
    {"GET /metrics", "-"},
    {"GET /openapi.json", "-"},
    {"GET /docs", "-"},
    {"GET /docs/problems", "-"},
    {"GET /docs/style.css", "-"},
};

std::map<std::string_view, std::string_view> expected_routes() {
    std::map<std::string_view, std::string_view> all;
    for (auto const& [route, who] : routes) EXPECT_TRUE(all.emplace(route, who).second) << route;
    return all;
}

std::string name_of(api::Route const& route) { return fmt::format("{} {}", to_text(route.method), route.path); }

TEST(RoleMatrix, NamesEachRouteAndNoOther) {
    auto const expected = expected_routes();
    std::set<std::string> found;
    for (auto const& table : features::route_tables()) {
        for (auto const& route : table) {
            auto const name = name_of(route);
            found.insert(name);
            auto const row = expected.find(name);
            ASSERT_NE(row, expected.end()) << name << " is not in the matrix: say who may call it";
            EXPECT_EQ(row->second == "-", route.access.kind == api::Access::Kind::anybody) << name;
            EXPECT_EQ(row->second == "*", route.access.kind == api::Access::Kind::signed_in) << name;
            EXPECT_EQ(row->second == "!", route.access.kind == api::Access::Kind::installation) << name;
        }
    }
    for (auto const& [name, who] : expected) EXPECT_TRUE(found.contains(std::string(name))) << name << " is no route";
}

// Real calls of real people. The ids in the paths are nobody's, so whoever is let in finds nothing.
TEST(RoleMatrix, HoldsForEachRoleAndRoute) {
    Product server;
    auto const expected = expected_routes();
    KeyHolder organization;
    for (auto const& row : roles) {
        Person const person(organization, row.name);
        auto const auth = person.auth(server, organization.id);
        auto client = server.connect();
        for (auto const& table : features::route_tables()) {
            for (auto const& route : table) {
                if (route.access.kind != api::Access::Kind::permission) continue;
                SCOPED_TRACE(fmt::format("{} {}", row.name, name_of(route)));
                std::string target{route.path};
                for (auto open = target.find('{'); open != std::string::npos; open = target.find('{')) {
                    target.replace(open, target.find('}', open) - open + 1, OrganizationId::make().to_string());
                }
                auto const media =
                    route.method == api::Method::patch ? "application/merge-patch+json" : "application/json";
                auto const answer = client.ask(to_text(route.method), target,
                                               fmt::format("{}Content-Type: {}\r\n", auth, media), route.body_example);
                auto const letter = letters[static_cast<std::size_t>(row.role)];
                bool const may_call = expected.at(name_of(route)).find(letter) != std::string_view::npos;
                bool const refused = answer.status == 403 && answer.text("code") == "forbidden";
                EXPECT_EQ(refused, !may_call) << answer.status << " " << answer.body;
                EXPECT_LT(answer.status, 500) << answer.body;
            }
        }
    }
}

TEST(RoleMatrix, IsServed) {
    Product server;
    KeyHolder organization;
    auto const answer = server.ask("GET", "/v1/roles", organization.auth());
    ASSERT_EQ(answer.status, 200) << answer.body;
    auto const page = answer.json();
    auto const& items = page.at("items").as_array();
    ASSERT_EQ(items.size(), 5u);
    EXPECT_EQ(items[0].at("role").as_string(), "OWNER");
    EXPECT_EQ(items[4].at("role").as_string(), "VIEWER");
    for (auto const& item : items) {
        auto const role = parse_role(std::string_view(item.at("role").as_string()));
        ASSERT_TRUE(role);
        EXPECT_EQ(item.at("permissions").as_array().size(), permissions_of(*role).size());
    }
}

}  // namespace
}  // namespace buildplan::organizations
