// Attacks on who may do what: by people and keys that are really there, and want more.
#include "tests/isolation/attack.hpp"

namespace buildplan::isolation {
namespace {

using AttackOnRights = Attack;

TEST_F(AttackOnRights, SlugSquatting) {
    auto const owner = attacker_owner();
    auto const create = [&](std::string const& slug) {
        return ask(owner, "POST", "/v1/organizations", R"({"name": "Squatter", "slug": ")" + slug + R"("})");
    };
    auto const move = [&](std::string const& slug) {
        return ask(owner, "PATCH", "/v1/organizations/" + attacker.organization, R"({"slug": ")" + slug + R"("})");
    };
    EXPECT_EQ(code(create(victim.slug)), "slug-taken");
    EXPECT_EQ(code(move(victim.slug)), "slug-taken");
    for (auto const& reserved : Strings{"admin", "api", "auth", "login", "well-known", "buildplan"}) {
        EXPECT_EQ(create(reserved).status, 422) << reserved;
        EXPECT_EQ(move(reserved).status, 422) << reserved;
    }
    // What looks the same to a person is no slug at all.
    auto upper = victim.slug;
    upper[0] = 'M';
    for (auto const& alike :
         Strings{upper, victim.slug + "-", "-" + victim.slug, victim.slug + " ", victim.slug + "\xc2\xad",
                 "\xd0\xbc" + victim.slug.substr(1), victim.slug + ".", victim.slug + "\\u0000"}) {
        EXPECT_EQ(create(alike).status, 422) << alike;
        EXPECT_EQ(move(alike).status, 422) << alike;
    }
    // A name that makes the same slug gets another one.
    auto const made = ask(owner, "POST", "/v1/organizations", R"({"name": ")" + victim.slug + R"("})");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_NE(made.text("slug"), victim.slug);
}

TEST_F(AttackOnRights, InvitationReplay) {
    auto const accept = [&](std::string const& auth) {
        return ask(auth, "POST", "/v1/invitations/accept", R"({"token": ")" + victim.invitation_token + R"("})");
    };
    auto const rename = [](Person const& who, std::string const& email, bool verified) {
        superuser().query("UPDATE users SET email = $2, email_verified = $3::boolean WHERE id = $1::uuid",
                          {who.id.to_string(), email, verified ? "true" : "false"});
    };
    // Stolen by somebody else, signed in in every way there is.
    EXPECT_EQ(code(accept(attacker_owner())), "invitation-for-another-address");
    EXPECT_EQ(code(accept(attacker.keys.auth())), "person-required");
    // By somebody who only says that the address is theirs.
    Person guest;
    rename(guest, victim.mark + "-guest@example.com", false);
    EXPECT_EQ(code(accept(guest.auth(*server, std::nullopt))), "email-not-verified");
    EXPECT_EQ(value("SELECT count(*) FROM organization_members WHERE user_id = $1::uuid", {guest.id.to_string()}), "0");
    expect_unchanged(before, victim.rows());

    rename(guest, victim.mark + "-guest@example.com", true);
    auto const joined = accept(guest.auth(*server, std::nullopt));
    EXPECT_EQ(joined.status, 200) << joined.body;
    victim_changed();
    // Again, by the same person and by another one who has the address by now.
    EXPECT_EQ(code(accept(guest.auth(*server, std::nullopt))), "invitation-used");
    rename(guest, victim.mark + "-moved@example.com", true);
    Person heir;
    rename(heir, victim.mark + "-guest@example.com", true);
    EXPECT_EQ(code(accept(heir.auth(*server, std::nullopt))), "invitation-used");
    // After the guest was removed, too.
    guest.leave(victim.keys.id);
    victim_changed();
    EXPECT_EQ(code(accept(heir.auth(*server, std::nullopt))), "invitation-used");
    EXPECT_EQ(code(accept(guest.auth(*server, std::nullopt))), "invitation-for-another-address");
}

TEST_F(AttackOnRights, RoleEscalationByPatch) {
    Person const admin(victim.keys, "ADMIN"), manager(victim.keys, "MANAGER");
    auto const member_of = [&](Person const& who) {
        return "/v1/members/" +
               value("SELECT id FROM organization_members WHERE user_id = $1::uuid", {who.id.to_string()});
    };
    victim_changed();
    auto const to = [](std::string_view role) { return fmt::format(R"({{"role": "{}"}})", role); };
    // Oneself, another one, and the owner whose place would be free.
    EXPECT_EQ(code(ask(as(admin, victim), "PATCH", member_of(admin), to("OWNER"))), "role-too-high");
    EXPECT_EQ(code(ask(as(admin, victim), "PATCH", member_of(manager), to("OWNER"))), "role-too-high");
    EXPECT_EQ(code(ask(as(admin, victim), "PATCH", member_of(victim.owner), to("VIEWER"))), "role-too-high");
    EXPECT_EQ(code(ask(as(admin, victim), "DELETE", member_of(victim.owner))), "role-too-high");
    EXPECT_EQ(
        code(ask(as(admin, victim), "POST", "/v1/invitations", R"({"email": "me@example.com", "role": "OWNER"})")),
        "role-too-high");
    for (Person const* const lower : std::initializer_list<Person const*>{&manager, &victim.viewer}) {
        for (auto const& role : Strings{"OWNER", "ADMIN", "MANAGER", "MEMBER"}) {
            EXPECT_EQ(ask(as(*lower, victim), "PATCH", member_of(*lower), to(role)).status, 403) << role;
        }
        EXPECT_EQ(ask(as(*lower, victim), "POST", member_of(*lower) + "/transfer-ownership").status, 403);
    }
    // Words that are no role, fields that are not this route's.
    for (auto const& body : Strings{R"({"role": "owner"})", R"({"role": "OWNER "})", R"({"role": ["OWNER"]})",
                                    R"({"role": "MEMBER", "permissions": ["*"]})", R"({"role": null})",
                                    R"({"role": "SUPERUSER"})", R"({"role": 0})"}) {
        EXPECT_EQ(ask(as(admin, victim), "PATCH", member_of(manager), body).status, 422) << body;
    }
    // The owner of another organization is nobody here.
    EXPECT_EQ(ask(attacker_owner(), "PATCH", member_of(manager), to("OWNER")).status, 404);
}

TEST_F(AttackOnRights, TokenOfARemovedMember) {
    Person const member(victim.keys, "ADMIN");
    auto const auth = as(member, victim);
    EXPECT_EQ(ask(auth, "GET", "/v1/workspaces").status, 200);  // the server has seen it
    member.leave(victim.keys.id);
    victim_changed();
    expect_soon(auth, "GET", "/v1/workspaces", {}, 401);
    // The session is still theirs; the organization is not to be had with it.
    auto const switched = ask(member.auth(*server, std::nullopt), "POST", "/auth/switch-org",
                              R"({"organizationId": ")" + victim.organization + R"("})");
    EXPECT_EQ(switched.status, 404) << switched.body;
    EXPECT_EQ(ask(as(member, victim), "GET", "/v1/workspaces").status, 401);  // made by hand, signed by us
    auto const mine = ask(member.auth(*server, std::nullopt), "GET", "/v1/organizations");
    EXPECT_EQ(mine.json().at("items").as_array().size(), 0U) << mine.body;
}

TEST_F(AttackOnRights, KeyWithScopesBeyondItsCreator) {
    Person const manager(victim.keys, "MANAGER"), admin(victim.keys, "ADMIN");
    victim_changed();
    auto const make = [&](std::string const& auth, std::string_view kind, std::string_view scope) {
        return ask(auth, "POST", "/v1/api-keys",
                   fmt::format(R"({{"kind": "{}", "name": "More", "scopes": ["{}"]}})", kind, scope));
    };
    for (auto const& scope :
         Strings{"*", "org.*", "org.delete", "org.transfer", "org.billing.read", "org.members.invite"}) {
        EXPECT_EQ(make(as(manager, victim), "personal", scope).status, 403) << scope;
        EXPECT_EQ(make(as(manager, victim), "service", scope).status, 403) << scope;
        EXPECT_EQ(make(as(victim.viewer, victim), "personal", scope).status, 403) << scope;
    }
    for (auto const& scope : Strings{"*", "org.*", "org.delete", "org.transfer", "org.billing.read"}) {
        EXPECT_EQ(make(as(admin, victim), "service", scope).status, 403) << scope;
    }
    for (auto const& scope :
         Strings{"**", "*.*", "workspaces.read or true", "WORKSPACES.READ", "", ".*", "nothing.here"}) {
        EXPECT_EQ(make(as(admin, victim), "service", scope).status, 422) << scope;
    }
    // A key that may make keys makes none that may more, and none of a person.
    auto const weak = identity::make_key(identity::KeyKind::service);
    victim.keys.add_key(weak, "org.api_keys.create workspaces.read");
    victim_changed();
    auto const bearer = "Authorization: Bearer " + weak + "\r\n";
    EXPECT_EQ(make(bearer, "service", "workspaces.create").status, 403);
    EXPECT_EQ(make(bearer, "service", "*").status, 403);
    EXPECT_EQ(make(bearer, "personal", "workspaces.read").status, 403);
}

TEST_F(AttackOnRights, PersonalKeyAfterDemotion) {
    Person const member(victim.keys, "ADMIN");
    auto const made = ask(as(member, victim), "POST", "/v1/api-keys",
                          R"({"kind": "personal", "name": "Kept", "scopes": ["workspaces.*"]})");
    ASSERT_EQ(made.status, 201) << made.body;
    auto const key = "Authorization: Bearer " + made.text("key") + "\r\n";
    EXPECT_EQ(ask(key, "POST", "/v1/workspaces", R"({"name": "While ADMIN"})").status, 201);
    member.become(victim.keys.id, "VIEWER");
    victim_changed();
    expect_soon(key, "PATCH", "/v1/workspaces/" + victim.workspace, "{}", 403);
    EXPECT_EQ(ask(key, "POST", "/v1/workspaces", R"({"name": "While VIEWER"})").status, 403);
    EXPECT_EQ(ask(key, "GET", "/v1/workspaces").status, 200);
    member.leave(victim.keys.id);
    victim_changed();
    expect_soon(key, "GET", "/v1/workspaces", {}, 401);
}

TEST_F(AttackOnRights, UnicodeAndCaseInEmailAndSlug) {
    auto const email = victim.mark + "-" + victim.owner.id.to_string().substr(0, 8) + "@example.com";
    auto const sign_up = [&](std::string const& address) {
        return ask("", "POST", "/auth/register",
                   R"({"name": "Twin", "email": ")" + address +
                       R"(", "password": "a long and quiet afternoon", "organizationName": "Twin"})");
    };
    auto upper = email;
    std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    EXPECT_EQ(code(sign_up(email)), "email-taken");
    EXPECT_EQ(code(sign_up(upper)), "email-taken");
    // Kelvin's sign and the long s are "k" and "s" in lower or upper case, the dotless i is "I" in upper case.
    for (auto const& alike :
         Strings{"mar\xe2\x84\xaa" + email.substr(4), "\xef\xbd\x8d" + email.substr(1), email + " ", " " + email,
                 email + "\\u0000", email + "\xe2\x80\x8b", "m\xc4\xb1" + email.substr(2), "\\\"" + email + "\\\"",
                 email + "\\r\\nBcc: me@example.com", "x," + email, "Twin <" + email + ">"}) {
        EXPECT_EQ(sign_up(alike).status, 422) << alike;
    }
    // An invitation is accepted in either case, but once, and by one person.
    Person guest;
    auto other_case = victim.mark + "-GUEST@Example.COM";
    superuser().query("UPDATE users SET email = $2, email_verified = true WHERE id = $1::uuid",
                      {guest.id.to_string(), other_case});
    auto const again = ask(as(victim.owner, victim), "POST", "/v1/invitations",
                           R"({"email": ")" + other_case + R"(", "role": "VIEWER"})");
    EXPECT_EQ(code(again), "already-invited");
}

}  // namespace
}  // namespace buildplan::isolation
