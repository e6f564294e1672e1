// Invitations: how somebody who is not a member yet becomes one.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "core/id.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"
#include "features/organizations/roles.hpp"

namespace buildplan::organizations {

using InvitationId = Id<struct InvitationTag>;

enum class InvitationState : std::uint8_t { open, accepted, revoked, expired };
BOOST_DESCRIBE_ENUM(InvitationState, open, accepted, revoked, expired)

struct Invitation {
    InvitationId id;
    std::string email;
    Role role = Role::member;
    InvitationState state = InvitationState::open;
    std::optional<UserId> invited_by;
    std::int32_t sent_count = 0;
    std::optional<Timestamp> sent_at;
    std::optional<Timestamp> accepted_at;
    std::optional<Timestamp> revoked_at;
    Timestamp created_at;
    Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(Invitation, (),
                      (id, email, role, state, invited_by, sent_count, sent_at, accepted_at, revoked_at, created_at,
                       expires_at))
constexpr auto json_rules(Invitation const*) {
    return json::fields(json::field("email").length(3, 254), json::field("invited_by").write_null(),
                        json::field("sent_count").at_least(0), json::field("sent_at").write_null(),
                        json::field("accepted_at").write_null(), json::field("revoked_at").write_null())
        .about("Somebody asked to join. The token that accepts it is in the mail and nowhere else.");
}

struct NewInvitation {
    std::string email;
    Role role = Role::member;
};
BOOST_DESCRIBE_STRUCT(NewInvitation, (), (email, role))
constexpr auto json_rules(NewInvitation const*) {
    return json::fields(json::field("email").email().length(3, json::longest_email),
                        json::field("role").defaulted().about("No higher than your own; MEMBER when left out."));
}

struct InvitationFilter {
    std::optional<InvitationState> state;
};
BOOST_DESCRIBE_STRUCT(InvitationFilter, (), (state))
constexpr auto json_rules(InvitationFilter const*) {
    return json::fields(json::field("state").not_null().about("Only those; all when left out."));
}

struct InvitationToken {
    std::string token;
};
BOOST_DESCRIBE_STRUCT(InvitationToken, (), (token))
constexpr auto json_rules(InvitationToken const*) {
    return json::fields(json::field("token").length(1, 200).about("As it came in the mail."));
}

// What somebody has joined.
struct Joined {
    OrganizationId id;
    std::string name;
    std::string slug;
    Role role = Role::member;
};
BOOST_DESCRIBE_STRUCT(Joined, (), (id, name, slug, role))
constexpr auto json_rules(Joined const*) {
    return json::fields(json::field("id").about("The organization's: go there with `/auth/switch-org`."),
                        json::field("name").length(1, 200), json::field("slug").slug());
}

}  // namespace buildplan::organizations
