#include "features/organizations/test_organizations.hpp"

namespace buildplan::organizations::testing {
namespace {

std::string code(HttpAnswer const& answer) {
    return answer.status < 400 ? std::to_string(answer.status) : answer.text("code");
}

class Invitations : public OrganizationsTest {
protected:
    HttpAnswer invite(Person const& by, std::string_view email, std::string_view role = "MEMBER") const {
        return as(by).post("/v1/invitations", fmt::format(R"({{"email":"{}","role":"{}"}})", email, role));
    }
    static std::string address(Person const& person) { return person.id.to_string() + "@example.com"; }
    static void unverify(Person const& person) {
        Person::query("UPDATE users SET email_verified = false WHERE id = $1::uuid", {person.id.to_string()});
    }
    static void verify(Person const& person) {
        Person::query("UPDATE users SET email_verified = true WHERE id = $1::uuid", {person.id.to_string()});
    }
    // As the newest mail has it.
    std::string token() const {
        return us.value(
            "SELECT payload ->> 'token' FROM outbox WHERE organization_id = $1::uuid "
            "AND topic = 'mail.invitation' ORDER BY created_at DESC, id DESC LIMIT 1");
    }
    HttpAnswer accept(Person const& person, std::string const& shown) const {
        return Caller(*server, person, std::nullopt)
            .post("/v1/invitations/accept", fmt::format(R"({{"token":"{}"}})", shown));
    }
    static std::string path(HttpAnswer const& made) { return "/v1/invitations/" + made.text("id"); }
};

TEST_F(Invitations, AreAcceptedOnceByThePersonTheyAreMadeOutTo) {
    Person const ada, eve;
    verify(ada);
    verify(eve);
    auto const made = invite(owner, "X" + address(ada).substr(1));
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(code(accept(ada, token())), "invitation-for-another-address");
    EXPECT_EQ(as(owner).remove(path(made)).status, 204);

    auto const again = invite(owner, ascii_lower(address(ada)), "MANAGER");
    ASSERT_EQ(again.status, 201) << again.body;
    auto const shown = token();
    EXPECT_EQ(again.header("Location"), path(again));
    EXPECT_EQ(again.body.find(shown), std::string::npos) << "the token is in the mail alone";
    EXPECT_EQ(code(accept(eve, shown)), "invitation-for-another-address");
    auto const joined = accept(ada, shown);
    ASSERT_EQ(joined.status, 200) << joined.body;
    EXPECT_EQ(joined.text("id"), us.id.to_string());
    EXPECT_EQ(joined.text("role"), "MANAGER");
    EXPECT_EQ(role_of(ada), "MANAGER");
    EXPECT_EQ(as(ada).get("/v1/members").status, 200);
    EXPECT_EQ(code(accept(ada, shown)), "invitation-used");
    EXPECT_EQ(role_of(eve), "");
    EXPECT_EQ(as(owner).get(path(again)).text("state"), "accepted");
    EXPECT_EQ(recorded(), "invitation.created invitation.revoked invitation.created invitation.accepted");
    EXPECT_EQ(us.value("SELECT actor_id FROM audit_log WHERE organization_id = $1::uuid "
                       "AND action = 'invitation.accepted'"),
              ada.id.to_string());
}

TEST_F(Invitations, AreMadeByWhoHasShownThatTheirOwnAddressIsTheirs) {
    Person const founder(us, "OWNER");
    unverify(founder);
    EXPECT_EQ(code(invite(founder, "somebody@example.com")), "email-not-verified");
    EXPECT_EQ(us.value("SELECT count(*) FROM invitations WHERE organization_id = $1::uuid"), "0");
    EXPECT_EQ(us.value("SELECT count(*) FROM outbox WHERE organization_id = $1::uuid"), "0");
    verify(founder);
    EXPECT_EQ(invite(founder, "somebody@example.com").status, 201);
}

TEST_F(Invitations, AreToldApartOnlyToWhoeverHoldsTheToken) {
    Person const ada;
    unverify(ada);
    EXPECT_EQ(code(accept(ada, "bp_inv_" + std::string(43, 'A'))), "not-found");
    auto const made = invite(owner, address(ada));
    auto const first = token();
    EXPECT_EQ(code(accept(ada, first)), "email-not-verified");
    verify(ada);
    EXPECT_EQ(as(owner).remove(path(made)).status, 204);
    EXPECT_EQ(code(accept(ada, first)), "invitation-revoked");
    EXPECT_EQ(invite(owner, address(ada)).status, 201);
    auto const second = token();
    change("UPDATE invitations SET expires_at = now() WHERE organization_id = $1::uuid AND revoked_at IS NULL");
    EXPECT_EQ(code(accept(ada, second)), "invitation-expired");
    auto const by_key = server->ask("POST", "/v1/invitations/accept", us.json(), R"({"token":"x"})");
    EXPECT_EQ(code(by_key), "person-required");
    EXPECT_EQ(role_of(ada), "");
}

TEST_F(Invitations, OfManyAcceptancesAtOnceOneIsTheOne) {
    Person const ada;
    verify(ada);
    EXPECT_EQ(invite(owner, address(ada)).status, 201);
    auto const body = fmt::format(R"({{"token":"{}"}})", token());
    auto const headers = ada.json(*server, std::nullopt);
    std::deque<api::testing::HttpClient> clients;
    for (int i = 0; i < 6; ++i) {
        clients.emplace_back(server->port());
        clients.back().send("POST", "/v1/invitations/accept", headers, body);
    }
    std::multiset<std::string> answers;
    for (auto& client : clients) answers.insert(code(client.receive()));
    EXPECT_EQ(answers.count("200"), 1u);
    EXPECT_EQ(answers.count("invitation-used"), 5u);
    EXPECT_EQ(topics(), "mail.invitation member.joined");
}

TEST_F(Invitations, AnAnswerThatWasLostIsGivenAgainUnderItsKey) {
    Person const ada;
    verify(ada);
    EXPECT_EQ(invite(owner, address(ada)).status, 201);
    auto const body = fmt::format(R"({{"token":"{}"}})", token());
    Caller const caller(*server, ada, std::nullopt);
    auto const first = caller.post("/v1/invitations/accept", body, "Idempotency-Key: once\r\n");
    auto const again = caller.post("/v1/invitations/accept", body, "Idempotency-Key: once\r\n");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(again.body, first.body);
}

TEST_F(Invitations, NobodyInvitesAboveThemselves) {
    Person const admin(us, "ADMIN"), manager(us, "MANAGER");
    EXPECT_EQ(code(invite(admin, "a@example.com", "OWNER")), "role-too-high");
    EXPECT_EQ(code(invite(manager, "a@example.com", "VIEWER")), "forbidden");
    auto const made = invite(owner, "a@example.com", "OWNER");
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(code(as(admin).post(path(made) + "/resend")), "role-too-high");
    EXPECT_EQ(code(as(admin).remove(path(made))), "role-too-high");
    EXPECT_EQ(topics(), "mail.invitation");
}

TEST_F(Invitations, OneIsOpenForAnAddress) {
    EXPECT_EQ(invite(owner, "A@example.com").status, 201);
    EXPECT_EQ(code(invite(owner, "a@EXAMPLE.com")), "already-invited");
    change("UPDATE invitations SET expires_at = now() WHERE organization_id = $1::uuid");
    EXPECT_EQ(invite(owner, "a@example.com").status, 201) << "one that expired gives way";
    EXPECT_EQ(code(invite(owner, address(owner))), "already-member");
    EXPECT_EQ(code(invite(owner, "nobody")), "invalid");
}

TEST_F(Invitations, AreSentAgainWithANewTokenAFewTimes) {
    Person const ada;
    verify(ada);
    auto const made = invite(owner, address(ada));
    auto const first = token();
    change("UPDATE invitations SET expires_at = now() WHERE organization_id = $1::uuid");
    for (int sent = 2; sent <= 5; ++sent) {
        auto const answer = as(owner).post(path(made) + "/resend");
        ASSERT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.json().at("sentCount").as_int64(), sent);
        EXPECT_EQ(answer.text("state"), "open");
    }
    EXPECT_EQ(code(as(owner).post(path(made) + "/resend")), "sent-too-often");
    EXPECT_EQ(code(accept(ada, first)), "not-found") << "the first mail opens nothing any more";
    EXPECT_EQ(accept(ada, token()).status, 200);
    EXPECT_EQ(code(as(owner).post(path(made) + "/resend")), "invitation-closed");
    EXPECT_EQ(code(as(owner).remove(path(made))), "invitation-closed");
}

TEST_F(Invitations, AreListedByState) {
    Person const ada;
    verify(ada);
    EXPECT_EQ(invite(owner, address(ada)).status, 201);
    EXPECT_EQ(accept(ada, token()).status, 200);
    auto const revoked = invite(owner, "r@example.com");
    EXPECT_EQ(as(owner).remove(path(revoked)).status, 204);
    EXPECT_EQ(as(owner).remove(path(revoked)).status, 204) << "revoked is revoked";
    EXPECT_EQ(invite(owner, "e@example.com").status, 201);
    change("UPDATE invitations SET expires_at = now() WHERE organization_id = $1::uuid AND email = 'e@example.com'");
    EXPECT_EQ(invite(owner, "o@example.com").status, 201);
    auto const emails = [&](std::string const& query) {
        std::string all;
        auto const answer = as(owner).get("/v1/invitations?sort=createdAt" + query);
        EXPECT_EQ(answer.status, 200) << answer.body;
        for (auto const& item : answer.json().at("items").as_array()) {
            all += std::string(1, item.at("email").as_string().front()) + " ";
            EXPECT_EQ(answer.body.find("bp_inv_"), std::string::npos);
        }
        return all;
    };
    EXPECT_EQ(emails("&state=revoked"), "r ");
    EXPECT_EQ(emails("&state=expired"), "e ");
    EXPECT_EQ(emails("&state=open"), "o ");
    EXPECT_EQ(emails("&state=accepted"), address(ada).substr(0, 1) + " ");
    EXPECT_EQ(emails("").size(), 8u);
}

TEST_F(Invitations, JoinNobodyTwice) {
    Person const ada;
    verify(ada);
    EXPECT_EQ(invite(owner, address(ada), "ADMIN").status, 201);
    ada.join(us.id, "VIEWER");
    auto const joined = accept(ada, token());
    EXPECT_EQ(joined.status, 200);
    EXPECT_EQ(joined.text("role"), "VIEWER") << "who is a member already stays what they are";
    EXPECT_EQ(role_of(ada), "VIEWER");
    EXPECT_EQ(topics(), "mail.invitation");
}

}  // namespace
}  // namespace buildplan::organizations::testing
