// People who sign in, as they and their clients see it.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"
#include "features/identity/passwords/rules.hpp"

namespace buildplan::identity {

constexpr auto email_rule(std::string_view member) {
    return json::field(member).email().length(3, json::longest_email);
}
// One that is only compared may be as short as it likes.
constexpr auto some_password(std::string_view member) { return json::field(member).length(1, longest_password); }
constexpr auto new_password(std::string_view member) {
    return json::field(member)
        .length(shortest_password, longest_password)
        .about("At least 8 characters; not one that many people have, nor one with the name or address in it.");
}
constexpr auto cookie_rule() {
    return json::field("cookie").defaulted().about(
        "For browsers: true sets HttpOnly cookies, and leaves the tokens out of the answer.");
}
constexpr auto mailed_token() { return json::field("token").length(1, 200).about("As it came in the mail."); }

struct User {
    UserId id;
    std::string email;
    std::string name;
    bool email_verified = false;
    bool mfa_enabled = false;
    Timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(User, (), (id, email, name, email_verified, mfa_enabled, created_at))
constexpr auto json_rules(User const*) {
    return json::fields(email_rule("email"), json::field("name").length(1, 200)).about("A person with an account.");
}

struct OrganizationName {
    OrganizationId id;
    std::string name;
    std::string slug;
};
BOOST_DESCRIBE_STRUCT(OrganizationName, (), (id, name, slug))
constexpr auto json_rules(OrganizationName const*) {
    return json::fields(json::field("name").length(1, 200), json::field("slug").slug());
}

struct Membership {
    OrganizationId id;
    std::string name;
    std::string slug;
    std::string role;
};
BOOST_DESCRIBE_STRUCT(Membership, (), (id, name, slug, role))
constexpr auto json_rules(Membership const*) {
    return json::fields(json::field("id").about("The organization's."), json::field("name").length(1, 200),
                        json::field("slug").slug(),
                        json::field("role").length(1, 20).about("OWNER, ADMIN, MANAGER, MEMBER or VIEWER."))
        .about("An organization, and what somebody is there.");
}

// The tokens of a session, in every answer that gives some.
struct TokenPair {
    std::optional<std::string> token;
    std::optional<std::string> refresh_token;
    Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(TokenPair, (), (token, refresh_token, expires_at))
constexpr auto token_rules() {
    return json::field("token").length(1, 4096).about(
        "For `Authorization: Bearer`; left out when it went into a cookie.");
}
constexpr auto refresh_token_rules() {
    return json::field("refresh_token")
        .length(1, 200)
        .about("Gives new tokens, once; left out when it went into a cookie.");
}
constexpr auto expires_at_rules() { return json::field("expires_at").about("When `token` ends; refresh before."); }
constexpr auto json_rules(TokenPair const*) {
    return json::fields(token_rules(), refresh_token_rules(), expires_at_rules());
}

struct Registration {
    std::string name;
    std::string email;
    std::string password;
    std::string organization_name;
    bool cookie = false;
};
BOOST_DESCRIBE_STRUCT(Registration, (), (name, email, password, organization_name, cookie))
constexpr auto json_rules(Registration const*) {
    return json::fields(
        json::field("name").length(1, 200).line().about("What people call you."), email_rule("email"),
        new_password("password"),
        json::field("organization_name").length(1, 200).line().about("Of the organization that you begin."),
        cookie_rule());
}

struct Registered {
    std::optional<std::string> token;
    std::optional<std::string> refresh_token;
    Timestamp expires_at;
    User user;
    OrganizationName organization;
};
BOOST_DESCRIBE_STRUCT(Registered, (), (token, refresh_token, expires_at, user, organization))
constexpr auto json_rules(Registered const*) {
    return json::fields(token_rules(), refresh_token_rules(), expires_at_rules());
}

struct Login {
    std::string email;
    std::string password;
    bool cookie = false;
};
BOOST_DESCRIBE_STRUCT(Login, (), (email, password, cookie))
constexpr auto json_rules(Login const*) {
    return json::fields(email_rule("email"), some_password("password"), cookie_rule());
}

struct LoggedIn {
    std::optional<std::string> token;
    std::optional<std::string> refresh_token;
    Timestamp expires_at;
    std::vector<Membership> organizations;
};
BOOST_DESCRIBE_STRUCT(LoggedIn, (), (token, refresh_token, expires_at, organizations))
constexpr auto json_rules(LoggedIn const*) {
    return json::fields(token_rules(), refresh_token_rules(), expires_at_rules(),
                        json::field("organizations")
                            .items(0, 1000)
                            .about("Choose one with `/auth/switch-org`; the token already speaks for the only one."));
}

struct OrganizationChoice {
    OrganizationId organization_id;
};
BOOST_DESCRIBE_STRUCT(OrganizationChoice, (), (organization_id))

struct Entered {
    std::optional<std::string> token;
    Timestamp expires_at;
    OrganizationName organization;
    std::vector<std::string> roles;
};
BOOST_DESCRIBE_STRUCT(Entered, (), (token, expires_at, organization, roles))
constexpr auto json_rules(Entered const*) {
    return json::fields(token_rules(), expires_at_rules(), json::field("roles").items(0, 8).length(1, 20));
}

struct Refresh {
    std::optional<std::string> refresh_token;
};
BOOST_DESCRIBE_STRUCT(Refresh, (), (refresh_token))
constexpr auto json_rules(Refresh const*) {
    return json::fields(json::field("refresh_token")
                            .length(1, 200)
                            .not_null()
                            .about("Left out by a browser, which has it as a cookie."));
}

struct Me {
    User user;
    std::optional<OrganizationId> organization_id;
    std::optional<std::string> role;
    std::vector<std::string> permissions;
    std::vector<Membership> organizations;
};
BOOST_DESCRIBE_STRUCT(Me, (), (user, organization_id, role, permissions, organizations))
constexpr auto json_rules(Me const*) {
    return json::fields(json::field("organization_id").write_null().about("The one that this token speaks for."),
                        json::field("role").write_null().length(1, 20).about("There."),
                        json::field("permissions").items(0, 200).length(1, 100).about("Of this token, there."),
                        json::field("organizations").items(0, 1000));
}

struct SessionShown {
    SessionId id;
    bool current = false;
    std::optional<std::string> user_agent;
    std::optional<std::string> address;
    Timestamp created_at;
    Timestamp last_used_at;
    Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(SessionShown, (), (id, current, user_agent, address, created_at, last_used_at, expires_at))
constexpr auto json_rules(SessionShown const*) {
    return json::fields(json::field("current").about("Whether it is the one that asks."),
                        json::field("user_agent").length(0, 512).write_null(),
                        json::field("address").length(0, 64).write_null().about("Where it was last refreshed from."))
        .named("Session")
        .about("A place where you are signed in.");
}

struct PasswordChange {
    std::string current_password;
    std::string new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordChange, (), (current_password, new_password))
constexpr auto json_rules(PasswordChange const*) {
    return json::fields(some_password("current_password"), new_password("new_password"));
}

struct ForgottenPassword {
    std::string email;
};
BOOST_DESCRIBE_STRUCT(ForgottenPassword, (), (email))
constexpr auto json_rules(ForgottenPassword const*) { return json::fields(email_rule("email")); }

struct PasswordReset {
    std::string token;
    std::string new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordReset, (), (token, new_password))
constexpr auto json_rules(PasswordReset const*) { return json::fields(mailed_token(), new_password("new_password")); }

struct EmailProof {
    std::string token;
};
BOOST_DESCRIBE_STRUCT(EmailProof, (), (token))
constexpr auto json_rules(EmailProof const*) { return json::fields(mailed_token()); }

}  // namespace buildplan::identity
