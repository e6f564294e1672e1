// Every route of the table, asked with the ids of one organization by everybody who is not to have them: a member of
// another organization, that one's key, somebody who was removed, a VIEWER, an expired key, a session that is over, and
// nobody. Each gets 404, 403 or 401, is shown nothing, and leaves every row of the database as it was.
#include <gtest/gtest.h>

#include <thread>

#include "features/organizations/roles.hpp"
#include "tests/isolation/world.hpp"

namespace buildplan::isolation {
namespace {

using Kind = api::Access::Kind;

std::vector<api::Route const*> routes_that(bool (*fit)(api::Route const&)) {
    std::vector<api::Route const*> found;
    for (auto const& table : features::route_tables()) {
        for (auto const& route : table) {
            if (fit(route)) found.push_back(&route);
        }
    }
    return found;
}

bool names_something(api::Route const& route) { return route.path.find('{') != std::string_view::npos; }
bool is_open(api::Route const& route) { return route.access.kind == Kind::anybody; }
bool wants_a_permission(api::Route const& route) { return route.access.kind == Kind::permission; }
bool is_for_the_installation(api::Route const& route) { return route.access.kind == Kind::installation; }

auto const name_of_route = [](auto const& info) {
    std::string name{to_text(info.param->method)};
    for (char const c : info.param->path) {
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        name += plain ? c : '_';
    }
    return name;
};

class Asked : public ::testing::TestWithParam<api::Route const*> {
protected:
    static void SetUpTestSuite() {
        server = std::make_unique<Product>();
        ours = std::make_unique<House>();
        // The installation's signing key is made now, not while we compare.
        EXPECT_NE(ours->owner.token(*server, ours->keys.id), "");
    }
    static void TearDownTestSuite() {
        server.reset();
        ours.reset();
    }

    static api::Route const& route() { return *GetParam(); }
    // With our ids in the path and in the body.
    static HttpAnswer ask(std::string const& auth) {
        auto const method = to_text(route().method);
        auto client = server->connect();
        auto answer =
            client.ask(method, ours->target(route().path),
                       auth + "If-Match: *\r\nConnection: close\r\n" + media(method), ours->body(route().body_example));
        if (!answer.header("Transfer-Encoding").empty()) answer.body = client.rest();
        return answer;
    }
    // Asks, and whatever the answer is, it shows nothing of ours and nothing of ours is another afterwards.
    static HttpAnswer ask_in_vain(std::string const& auth, House const* who) {
        auto const before = ours->rows(), all_before = whole_database();
        auto answer = ask(auth);
        EXPECT_LT(answer.status, 500) << answer.body;
        expect_marks_of(answer, who);
        expect_unchanged(before, ours->rows());
        if (answer.status >= 400) expect_unchanged(all_before, whole_database());
        return answer;
    }

    static inline std::unique_ptr<Product> server;
    static inline std::unique_ptr<House> ours;
};

// ------------------------------------------------------------------------------------------------ other organizations
class EveryRoute : public Asked {};

TEST_P(EveryRoute, GivesAMemberOfAnotherOrganizationNothing) {
    House const theirs;
    auto const answer = ask_in_vain(theirs.owner.auth(*server, theirs.keys.id), &theirs);
    if (is_for_the_installation(route())) {
        EXPECT_EQ(answer.status, 403) << answer.body;  // that there are queues is no secret
    } else if (names_something(route())) {
        EXPECT_EQ(answer.status, 404) << answer.body;
    }
}

TEST_P(EveryRoute, GivesTheKeyOfAnotherOrganizationNothing) {
    House const theirs;
    auto const answer = ask_in_vain(theirs.keys.auth(), &theirs);
    // What only a person can do is refused before it is looked for.
    if (names_something(route())) EXPECT_TRUE(answer.status == 404 || answer.status == 403) << answer.body;
}

TEST_P(EveryRoute, GivesARemovedMemberWhoSignsInAgainNothing) {
    Person const removed(ours->keys, "ADMIN");
    removed.leave(ours->keys.id);
    auto const answer = ask_in_vain(removed.auth(*server, std::nullopt), nullptr);
    if (wants_a_permission(route())) {
        EXPECT_EQ(answer.status, 403) << answer.body;
    } else if (names_something(route())) {
        EXPECT_TRUE(answer.status == 404 || answer.status == 403) << answer.body;
    }
}

INSTANTIATE_TEST_SUITE_P(Routes, EveryRoute, ::testing::ValuesIn(routes_that([](auto const&) { return true; })),
                         name_of_route);

// ------------------------------------------------------------------------------------------- who cannot say who they
// are
class EveryRouteThatIsNotOpen : public Asked {
protected:
    static void expect_unauthenticated(std::string const& auth) {
        auto const before = whole_database();
        auto const answer = ask(auth);
        EXPECT_EQ(answer.status, 401) << answer.body;
        expect_marks_of(answer, nullptr);
        expect_unchanged(before, whole_database());
    }
};

TEST_P(EveryRouteThatIsNotOpen, RefusesARemovedMember) {
    Person const removed(ours->keys, "OWNER");
    auto const auth = removed.auth(*server, ours->keys.id);
    removed.leave(ours->keys.id);
    expect_unauthenticated(auth);
}

TEST_P(EveryRouteThatIsNotOpen, RefusesTheKeyOfARemovedMember) {
    Person const removed(ours->keys, "OWNER");
    auto const key = identity::make_key(identity::KeyKind::personal);
    superuser().query(
        "INSERT INTO api_keys (organization_id, kind, user_id, name, prefix, hash, scopes) VALUES "
        "($1::uuid, 'personal', $2::uuid, 'Test', 'bp_pat_', decode($3, 'hex'), '{*}')",
        {ours->organization, removed.id.to_string(), to_hex(identity::hash_of_key(key))});
    removed.leave(ours->keys.id);
    expect_unauthenticated("Authorization: Bearer " + key + "\r\n");
}

TEST_P(EveryRouteThatIsNotOpen, RefusesAnExpiredKey) {
    auto const old = identity::make_key(identity::KeyKind::service);
    ours->keys.add_key(old, "*", "2020-01-01");
    expect_unauthenticated("Authorization: Bearer " + old + "\r\n");
}

TEST_P(EveryRouteThatIsNotOpen, RefusesASessionThatIsOver) {
    Person const gone(ours->keys, "OWNER");
    auto const auth = gone.auth(*server, ours->keys.id);
    gone.sign_out();
    expect_unauthenticated(auth);
}

TEST_P(EveryRouteThatIsNotOpen, RefusesNobody) { expect_unauthenticated(""); }

INSTANTIATE_TEST_SUITE_P(Routes, EveryRouteThatIsNotOpen,
                         ::testing::ValuesIn(routes_that([](auto const& route) { return !is_open(route); })),
                         name_of_route);

// --------------------------------------------------------------------------------------------------- who may only read
class EveryRouteOfTheOrganization : public Asked {};

TEST_P(EveryRouteOfTheOrganization, LetsAViewerChangeNothing) {
    auto const before = whole_database();
    auto const answer = ask(ours->viewer.auth(*server, ours->keys.id));
    if (wants_a_permission(route()) && organizations::may(organizations::Role::viewer, route().access.permission)) {
        EXPECT_EQ(to_text(route().method), "GET") << "a VIEWER reads";
        EXPECT_EQ(answer.status, 200) << answer.body;
    } else if (wants_a_permission(route())) {
        EXPECT_EQ(answer.status, 403) << answer.body;
    } else {
        // Another's session or key is not there; what an OWNER does is refused.
        EXPECT_TRUE(answer.status >= 400 && answer.status < 500) << answer.body;
    }
    expect_marks_of(answer, ours.get());
    expect_unchanged(before, whole_database());
}

// What needs no permission and names nothing is about whoever asks.
INSTANTIATE_TEST_SUITE_P(Routes, EveryRouteOfTheOrganization, ::testing::ValuesIn(routes_that([](auto const& route) {
                             return wants_a_permission(route) || (!is_open(route) && names_something(route));
                         })),
                         name_of_route);

// ------------------------------------------------------------------------------------------- who runs the installation
class EveryRouteOfTheInstallation : public Asked {};

TEST_P(EveryRouteOfTheInstallation, RefusesTheOwnerOfAnOrganizationAndItsStrongestKey) {
    for (auto const& auth : {ours->owner.auth(*server, ours->keys.id), ours->owner.auth(*server, std::nullopt),
                             ours->viewer.auth(*server, ours->keys.id), ours->keys.auth()}) {
        auto const answer = ask_in_vain(auth, nullptr);
        EXPECT_EQ(answer.status, 403) << answer.body;
    }
}

INSTANTIATE_TEST_SUITE_P(Routes, EveryRouteOfTheInstallation, ::testing::ValuesIn(routes_that(is_for_the_installation)),
                         name_of_route);

// What is kept of them is forgotten within a second, so a new owner and a former one are known by then.
TEST(AnOwnerOfTheInstallation, IsLetInUntilTheyAreOneNoMore) {
    Product server;
    House const house;
    Person const somebody(house.keys, "VIEWER");
    auto const auth = somebody.auth(server, std::nullopt);
    auto client = server.connect();
    auto const becomes = [&](int status) {
        int is = 0;
        for (int i = 0; i < 300 && is != status; ++i) {
            is = client.ask("GET", "/v1/admin/queues", auth).status;
            if (is != status) std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        return is;
    };
    EXPECT_EQ(client.ask("GET", "/v1/admin/queues", auth).status, 403);
    superuser().query("INSERT INTO installation_owners (user_id) VALUES ($1::uuid)", {somebody.id.to_string()});
    EXPECT_EQ(becomes(200), 200);
    superuser().query("DELETE FROM installation_owners WHERE user_id = $1::uuid", {somebody.id.to_string()});
    EXPECT_EQ(becomes(403), 403);
    somebody.leave(house.keys.id);
    superuser().query("DELETE FROM users WHERE id = $1::uuid", {somebody.id.to_string()});
}

// -------------------------------------------------------------------------------------------- the comparison can fail
TEST(WholeDatabase, ShowsTheSmallestChange) {
    House const house;
    auto const before = whole_database(), rows = house.rows();
    expect_unchanged(before, whole_database());
    superuser().query("UPDATE workspaces SET version = version + 1 WHERE organization_id = $1::uuid",
                      {house.organization});
    EXPECT_NE(before, whole_database());
    EXPECT_NE(rows, house.rows());
    auto const now_is = whole_database();
    House const another;
    EXPECT_NE(now_is, whole_database());
}

TEST(AHouse, HasARowInEveryTableOfTenants) {
    House const house;
    auto const rows = house.rows();
    for (auto const& row :
         superuser().query("SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND "
                           "column_name = 'organization_id'")) {
        EXPECT_NE(rows.find(row[0].value_or("") + " {"), std::string::npos)
            << "no row in " << row[0].value_or("") << ": give a House one";
    }
}

}  // namespace
}  // namespace buildplan::isolation
