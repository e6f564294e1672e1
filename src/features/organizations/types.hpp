// Organizations: the tenants. What one is, as its members see it.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "core/id.hpp"
#include "core/json/patch.hpp"
#include "core/json/rules.hpp"
#include "core/time.hpp"
#include "features/organizations/roles.hpp"

namespace buildplan::organizations {

inline constexpr std::uint32_t most_settings_bytes = 65'536;

struct Organization {
    OrganizationId id;
    std::string name;
    std::string slug;
    boost::json::object settings;
    boost::json::object features;
    boost::json::object limits;
    std::optional<Timestamp> deleted_at;
    std::optional<Timestamp> delete_after;
    Timestamp created_at;
    Timestamp updated_at;
};
BOOST_DESCRIBE_STRUCT(Organization, (),
                      (id, name, slug, settings, features, limits, deleted_at, delete_after, created_at, updated_at))
constexpr auto deleted_at_rule() {
    return json::field("deleted_at").write_null().about("When an owner deleted it; null while it is in use.");
}
constexpr auto delete_after_rule() {
    return json::field("delete_after").write_null().about("Until then an owner can restore it; afterwards it is gone.");
}
constexpr auto json_rules(Organization const*) {
    return json::fields(json::field("name").length(1, 200), json::field("slug").slug(),
                        json::field("settings").bytes(most_settings_bytes),
                        json::field("features").bytes(most_settings_bytes),
                        json::field("limits").bytes(most_settings_bytes), deleted_at_rule(), delete_after_rule())
        .about("A tenant: people, their rights and everything they work on.");
}

// One of a person's own, whichever they work in now.
struct MyOrganization {
    OrganizationId id;
    std::string name;
    std::string slug;
    std::optional<Role> role;
    std::optional<Timestamp> deleted_at;
    std::optional<Timestamp> delete_after;
    Timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(MyOrganization, (), (id, name, slug, role, deleted_at, delete_after, created_at))
constexpr auto json_rules(MyOrganization const*) {
    return json::fields(json::field("name").length(1, 200), json::field("slug").slug(),
                        json::field("role").write_null().about("What you are there; null for a service's key."),
                        deleted_at_rule(), delete_after_rule());
}

struct NewOrganization {
    std::string name;
    std::optional<std::string> slug;
};
BOOST_DESCRIBE_STRUCT(NewOrganization, (), (name, slug))
constexpr auto json_rules(NewOrganization const*) {
    return json::fields(json::field("name").length(1, 200).line().about("What people call it."),
                        json::field("slug").slug().not_null().about(
                            "Its name in addresses, unique in the installation; made from the name when left out."));
}

struct OrganizationChange {
    json::Patch<std::string> name;
    json::Patch<std::string> slug;
    json::Patch<boost::json::object> settings;
    json::Patch<boost::json::object> features;

    [[nodiscard]] bool is_empty() const noexcept {
        return name.is_absent() && slug.is_absent() && settings.is_absent() && features.is_absent();
    }
};
BOOST_DESCRIBE_STRUCT(OrganizationChange, (), (name, slug, settings, features))
constexpr auto json_rules(OrganizationChange const*) {
    return json::fields(json::field("name").length(1, 200).line().not_null(), json::field("slug").slug().not_null(),
                        json::field("settings")
                            .bytes(most_settings_bytes)
                            .not_null()
                            .about("Merged into what is there; null removes a member."),
                        json::field("features").bytes(most_settings_bytes).not_null().about("Merged as settings are."));
}

struct Deletion {
    std::string confirm;
};
BOOST_DESCRIBE_STRUCT(Deletion, (), (confirm))
constexpr auto json_rules(Deletion const*) {
    return json::fields(json::field("confirm").length(1, 63).about("The organization's slug, typed."));
}

}  // namespace buildplan::organizations
