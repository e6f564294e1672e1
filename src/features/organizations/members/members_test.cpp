#include <set>
#include <thread>

#include "features/organizations/test_organizations.hpp"

namespace buildplan::organizations::testing {
namespace {

class Members : public OrganizationsTest {
protected:
    static std::string path(std::string const& member) { return "/v1/members/" + member; }
    std::vector<std::string> ids(std::string const& query) const {
        std::vector<std::string> all;
        std::string cursor;
        for (int pages = 0; pages < 20; ++pages) {
            auto const answer = as(owner).get("/v1/members?" + query + (cursor.empty() ? "" : "&cursor=" + cursor));
            EXPECT_EQ(answer.status, 200) << answer.body;
            auto const page = answer.json();
            for (auto const& item : page.at("items").as_array()) all.emplace_back(item.at("userId").as_string());
            if (page.at("nextCursor").is_null()) return all;
            cursor = page.at("nextCursor").as_string();
        }
        ADD_FAILURE() << "the list does not end";
        return all;
    }
};

TEST_F(Members, AreListedPageByPageAndFiltered) {
    Person const ada(us, "ADMIN"), bob(us, "MEMBER"), cyd(us, "MEMBER");
    Person::query("UPDATE users SET name = 'Ada Lovelace' WHERE id = $1::uuid", {ada.id.to_string()});
    Person const stranger;
    std::vector<std::string> const oldest{owner.id.to_string(), ada.id.to_string(), bob.id.to_string(),
                                          cyd.id.to_string()};
    for (auto const limit : {1, 3, 100}) {
        EXPECT_EQ(ids(fmt::format("limit={}&sort=createdAt", limit)), oldest);
        EXPECT_EQ(ids(fmt::format("limit={}", limit)), std::vector<std::string>(oldest.rbegin(), oldest.rend()));
    }
    EXPECT_EQ(ids("role=MEMBER&limit=1"), (std::vector<std::string>{cyd.id.to_string(), bob.id.to_string()}));
    EXPECT_EQ(ids("q=aDa%20L"), (std::vector<std::string>{ada.id.to_string()}));
    EXPECT_EQ(ids("q=" + bob.id.to_string()), (std::vector<std::string>{bob.id.to_string()})) << "the address";
    EXPECT_EQ(ids("q=lovelace"), std::vector<std::string>{}) << "a prefix of the whole name";
    EXPECT_EQ(ids("q=%25"), std::vector<std::string>{}) << "no wildcard";
    EXPECT_EQ(as(owner).get("/v1/members?role=ROOT").status, 422);
}

TEST_F(Members, ShowWhoTheyAre) {
    Person const ada(us, "MANAGER");
    auto const answer = as(ada).get(path(member_of(ada)));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.text("userId"), ada.id.to_string());
    EXPECT_EQ(answer.text("email"), ada.id.to_string() + "@example.com");
    EXPECT_EQ(answer.text("role"), "MANAGER");
    EXPECT_FALSE(answer.header("ETag").empty());
    EXPECT_EQ(answer.body.find("password"), std::string::npos);
}

TEST_F(Members, ChangeOfRoleIsToldRecordedAndHoldsAtOnce) {
    Person const ada(us, "VIEWER");
    auto const ada_calls = as(ada);
    EXPECT_EQ(ada_calls.post("/v1/workspaces", R"({"name":"X"})").status, 403);
    auto const answer = as(owner).patch(path(member_of(ada)), R"({"role":"MANAGER"})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.text("role"), "MANAGER");
    EXPECT_EQ(ada_calls.post("/v1/workspaces", R"({"name":"X"})").status, 201);
    EXPECT_EQ(topics(), "member.role_changed workspace.created");
    EXPECT_EQ(us.value("SELECT before::text || after::text || actor_id FROM audit_log "
                       "WHERE organization_id = $1::uuid AND action = 'member.role_changed'"),
              fmt::format(R"({{"role": "VIEWER", "userId": "{0}"}}{{"role": "MANAGER", "userId": "{0}"}}{1})",
                          ada.id.to_string(), owner.id.to_string()));
    auto const same = as(owner).patch(path(member_of(ada)), R"({"role":"MANAGER"})");
    EXPECT_EQ(same.status, 200);
    EXPECT_EQ(same.header("ETag"), answer.header("ETag"));
    EXPECT_EQ(topics(), "member.role_changed workspace.created") << "no change, no news";
}

TEST_F(Members, ChangeAgainstAnOlderVersionIsRefused) {
    Person const ada(us, "VIEWER");
    auto const member = path(member_of(ada));
    auto const etag = as(owner).get(member).header("ETag");
    EXPECT_EQ(as(owner).patch(member, R"({"role":"MEMBER"})", etag).status, 200);
    EXPECT_EQ(as(owner).patch(member, R"({"role":"MANAGER"})", etag).status, 412);
    EXPECT_EQ(as(owner).remove(member, {}, etag).status, 412);
    EXPECT_EQ(role_of(ada), "MEMBER");
    EXPECT_EQ(as(owner).patch(member, R"({"role":"ROOT"})").status, 422);
    EXPECT_EQ(as(owner).patch(path(OrganizationId::make().to_string()), R"({"role":"MEMBER"})").status, 404);
}

TEST_F(Members, NobodyGrantsMoreThanTheyHold) {
    Person const admin(us, "ADMIN"), bob(us, "MEMBER");
    auto const raised = as(admin).patch(path(member_of(bob)), R"({"role":"OWNER"})");
    EXPECT_EQ(raised.status, 403);
    EXPECT_EQ(raised.text("code"), "role-too-high");
    EXPECT_EQ(as(admin).patch(path(member_of(admin)), R"({"role":"OWNER"})").text("code"), "role-too-high");
    EXPECT_EQ(as(admin).patch(path(member_of(owner)), R"({"role":"MEMBER"})").text("code"), "role-too-high");
    EXPECT_EQ(as(admin).remove(path(member_of(owner))).text("code"), "role-too-high");
    EXPECT_EQ(role_of(owner) + role_of(admin) + role_of(bob), "OWNERADMINMEMBER");
    EXPECT_EQ(recorded(), "");
    EXPECT_EQ(as(admin).patch(path(member_of(bob)), R"({"role":"ADMIN"})").status, 200) << "as much as they hold";
}

TEST_F(Members, AKeyGrantsWhatItsScopesHoldAndNoMore) {
    Person const bob(us, "MEMBER");
    KeyHolder const narrow("org.members.*");  // a tenant of its own; the key is put into ours
    auto const key = identity::make_key(identity::KeyKind::service);
    us.add_key(key, "org.members.*");
    auto const answer = server->ask(
        "PATCH", path(member_of(bob)),
        "Authorization: Bearer " + key + "\r\nContent-Type: application/merge-patch+json\r\n", R"({"role":"MANAGER"})");
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.text("code"), "role-too-high");
    EXPECT_EQ(role_of(bob), "MEMBER");
}

TEST_F(Members, WhoeverWasDemotedASecondAgoGrantsNothing) {
    Person const other(us, "OWNER"), bob(us, "MEMBER");
    auto const caller = as(other);
    EXPECT_EQ(caller.get("/v1/members").status, 200);  // is kept as OWNER from now on
    postgres::Session admin(api::testing::database().admin());
    admin.execute("ALTER TABLE organization_members DISABLE TRIGGER note_revocation");  // nobody tells the server
    other.become(us.id, "ADMIN");
    admin.execute("ALTER TABLE organization_members ENABLE TRIGGER note_revocation");
    EXPECT_EQ(caller.patch(path(member_of(bob)), R"({"role":"OWNER"})").status, 403);
    EXPECT_EQ(caller.remove(path(member_of(owner))).status, 403);
    EXPECT_EQ(caller.post("/v1/invitations", R"({"email":"x@example.com","role":"OWNER"})").status, 403);
    EXPECT_EQ(caller.post(path(member_of(bob)) + "/transfer-ownership").status, 403);
    EXPECT_EQ(role_of(bob) + role_of(owner), "MEMBEROWNER");
    EXPECT_EQ(topics(), "");
}

TEST_F(Members, TheLastOwnerStays) {
    auto const code = [](HttpAnswer const& answer) { return std::to_string(answer.status) + answer.text("code"); };
    EXPECT_EQ(code(as(owner).patch(path(member_of(owner)), R"({"role":"ADMIN"})")), "409last-owner");
    EXPECT_EQ(code(as(owner).remove(path(member_of(owner)))), "409last-owner");
    EXPECT_EQ(code(as(owner).remove("/v1/members/me")), "409last-owner");
    EXPECT_EQ(owners(), "1");
    EXPECT_EQ(topics() + recorded(), "");
    Person const other(us, "OWNER");
    EXPECT_EQ(as(owner).patch(path(member_of(owner)), R"({"role":"ADMIN"})").status, 200);
    EXPECT_EQ(code(as(other).remove("/v1/members/me")), "409last-owner");
}

TEST_F(Members, OfTwoOwnersWhoDemoteEachOtherAtOnceOneWins) {
    for (int round = 0; round < 5; ++round) {
        KeyHolder const place;
        Person const ada(place, "OWNER"), bob(place, "OWNER");
        auto const member = [&](Person const& person) {
            return place.value("SELECT id FROM organization_members WHERE organization_id = $1::uuid AND user_id = '" +
                               person.id.to_string() + "'");
        };
        api::testing::HttpClient one(server->port()), other(server->port());
        auto const headers = [&](Person const& person) {
            return person.auth(*server, place.id) + "Content-Type: application/merge-patch+json\r\n";
        };
        auto const ada_headers = headers(ada), bob_headers = headers(bob);
        one.send("PATCH", path(member(bob)), ada_headers, R"({"role":"MEMBER"})");
        other.send("PATCH", path(member(ada)), bob_headers, R"({"role":"MEMBER"})");
        std::multiset<int> const statuses{one.receive().status, other.receive().status};
        EXPECT_EQ(statuses, (std::multiset<int>{200, 403}));
        EXPECT_EQ(place.value("SELECT count(*) FROM organization_members WHERE organization_id = $1::uuid "
                              "AND role = 'OWNER'"),
                  "1");
    }
}

TEST_F(Members, OfTwoOwnersWhoLeaveAtOnceOneStays) {
    for (int round = 0; round < 5; ++round) {
        KeyHolder const place;
        Person const ada(place, "OWNER"), bob(place, "OWNER");
        api::testing::HttpClient one(server->port()), other(server->port());
        auto const ada_auth = ada.auth(*server, place.id), bob_auth = bob.auth(*server, place.id);
        one.send("DELETE", "/v1/members/me", ada_auth, {});
        other.send("DELETE", "/v1/members/me", bob_auth, {});
        std::multiset<int> const statuses{one.receive().status, other.receive().status};
        EXPECT_EQ(statuses, (std::multiset<int>{204, 409}));
    }
}

TEST_F(Members, WhoIsRemovedIsNobodyHere) {
    Person const bob(us, "ADMIN");
    auto const caller = as(bob);
    EXPECT_EQ(caller.post("/v1/invitations", R"({"email":"friend@example.com","role":"ADMIN"})").status, 201);
    EXPECT_EQ(as(owner).remove(path(member_of(bob))).status, 204);
    EXPECT_EQ(caller.get("/v1/workspaces").status, 401);
    EXPECT_EQ(us.value("SELECT count(*) FROM invitations WHERE organization_id = $1::uuid AND revoked_at IS NULL"), "0")
        << "what they invited is taken back";
    EXPECT_EQ(topics(), "mail.invitation member.removed");
    EXPECT_EQ(recorded(), "invitation.created member.removed");
    EXPECT_EQ(as(owner).remove(path(OrganizationId::make().to_string())).status, 404);
}

TEST_F(Members, DemotionTakesBackWhatTheyCouldNotInviteToAnyMore) {
    Person const bob(us, "OWNER");
    EXPECT_EQ(as(bob).post("/v1/invitations", R"({"email":"a@example.com","role":"OWNER"})").status, 201);
    EXPECT_EQ(as(bob).post("/v1/invitations", R"({"email":"b@example.com","role":"MEMBER"})").status, 201);
    EXPECT_EQ(as(owner).patch(path(member_of(bob)), R"({"role":"ADMIN"})").status, 200);
    EXPECT_EQ(us.value("SELECT string_agg(email, ' ') FROM invitations WHERE organization_id = $1::uuid "
                       "AND revoked_at IS NULL"),
              "b@example.com");
}

TEST_F(Members, AnyoneMayLeave) {
    Person const bob(us, "VIEWER");
    auto const caller = as(bob);
    EXPECT_EQ(caller.remove("/v1/members/me").status, 204);
    EXPECT_EQ(role_of(bob), "");
    EXPECT_EQ(caller.get("/v1/workspaces").status, 401);
    EXPECT_EQ(topics() + " " + recorded(), "member.left member.left");
    EXPECT_EQ(server->ask("DELETE", "/v1/members/me", us.auth()).text("code"), "person-required");
}

TEST_F(Members, OwnershipIsHandedOver) {
    Person const bob(us, "MEMBER");
    auto const caller = as(owner);
    auto const answer = caller.post(path(member_of(bob)) + "/transfer-ownership", {}, "Idempotency-Key: one\r\n");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.text("role"), "OWNER");
    EXPECT_EQ(role_of(owner) + role_of(bob), "ADMINOWNER");
    EXPECT_EQ(topics() + " " + recorded(), "organization.ownership_transferred organization.ownership_transferred");
    EXPECT_EQ(caller.post(path(member_of(owner)) + "/transfer-ownership").status, 403) << "not theirs any more";
    EXPECT_EQ(as(bob).post(path(member_of(bob)) + "/transfer-ownership").text("code"), "already-owner");
    auto const by_key = server->ask("POST", path(member_of(owner)) + "/transfer-ownership", us.auth());
    EXPECT_EQ(by_key.text("code"), "person-required");
    EXPECT_EQ(role_of(bob), "OWNER");
}

}  // namespace
}  // namespace buildplan::organizations::testing
