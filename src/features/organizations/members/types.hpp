// Members: the people of an organization and what they are there.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>

#include "core/id.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"
#include "features/organizations/roles.hpp"

namespace buildplan::organizations {

using MemberId = Id<struct MemberTag>;

struct Member {
    MemberId id;
    UserId user_id;
    std::string name;
    std::string email;
    Role role = Role::member;
    Timestamp created_at;
    Timestamp updated_at;
};
BOOST_DESCRIBE_STRUCT(Member, (), (id, user_id, name, email, role, created_at, updated_at))
constexpr auto json_rules(Member const*) {
    return json::fields(json::field("id").about("Of the membership."), json::field("user_id").about("Of the person."),
                        json::field("name").length(1, 200), json::field("email").length(3, 254),
                        json::field("created_at").about("When they joined."))
        .about("A person in the organization.");
}

struct MemberFilter {
    std::optional<Role> role;
    std::optional<std::string> q;
};
BOOST_DESCRIBE_STRUCT(MemberFilter, (), (role, q))
constexpr auto json_rules(MemberFilter const*) {
    return json::fields(json::field("role").not_null().about("Only members of that role."),
                        json::field("q").length(1, 100).not_null().about(
                            "Only members whose name or address begins with it, in either case."));
}

struct MemberChange {
    Role role = Role::member;
};
BOOST_DESCRIBE_STRUCT(MemberChange, (), (role))
constexpr auto json_rules(MemberChange const*) {
    return json::fields(json::field("role").about("No higher than your own."));
}

}  // namespace buildplan::organizations
