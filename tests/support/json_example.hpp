// Structs that use everything the JSON codec has, for its tests and its fuzzer.
#pragma once

#include <string>
#include <vector>

#include "core/json/json.hpp"

namespace buildplan::example {

enum class Tier { free, pro, enterprise };
BOOST_DESCRIBE_ENUM(Tier, free, pro, enterprise)
constexpr auto json_letters(Tier const*) { return json::Letters::capital; }

enum class State { draft, in_review, delete_ };
BOOST_DESCRIBE_ENUM(State, draft, in_review, delete_)

struct Address {
    std::string street;
    std::optional<std::string> zip_code;

    bool operator==(Address const&) const = default;
};
BOOST_DESCRIBE_STRUCT(Address, (), (street, zip_code))
constexpr auto json_rules(Address const*) {
    return json::fields(json::field("zip_code").length(4, 8)).about("Where somebody is.");
}

struct Node {
    std::string name;
    std::vector<Node> children;

    bool operator==(Node const&) const = default;
};
BOOST_DESCRIBE_STRUCT(Node, (), (name, children))
constexpr auto json_rules(Node const*) { return json::fields(json::field("children").items(0, 8).defaulted()); }

struct Everything {
    bool is_active = false;
    std::int32_t small = 0;
    std::int64_t wide = 0;
    std::uint64_t huge = 0;
    double ratio = 0;
    std::string name;
    std::optional<std::string> nick_name;
    std::optional<std::int32_t> room;
    Tier tier = Tier::pro;
    State state = State::draft;
    Uuid id;
    OrganizationId organization_id;
    Timestamp created_at;
    Address address;
    std::vector<Address> other_addresses;
    std::vector<std::string> tags;
    std::map<std::string, std::int32_t> counts;
    Node tree;
    boost::json::value extra;
    boost::json::object settings;
    json::Patch<std::string> title;

    bool operator==(Everything const&) const = default;
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (is_active, small, wide, huge, ratio, name, nick_name, room, tier, state, id, organization_id,
                       created_at, address, other_addresses, tags, counts, tree, extra, settings, title))
constexpr auto json_rules(Everything const*) {
    using json::field;
    return json::fields(field("small").range(-1000, 1000), field("ratio").at_least(-0.5).at_most(1e300),
                        field("name").length(1, 100).about("What people call it."), field("nick_name").length(0, 20),
                        field("room").write_null().at_least(1), field("tier").defaulted(),
                        field("tags").items(0, 5).length(1, 10), field("counts").items(0, 4),
                        field("settings").bytes(1000), field("title").length(1, 50));
}

// Every required field, and nothing more.
inline std::string minimal() {
    return R"({"isActive":true,"small":1,"wide":2,"huge":3,"ratio":0.5,"name":"n","state":"in_review",)"
           R"("id":"0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b","organizationId":"0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6c",)"
           R"("createdAt":"2026-11-23T17:20:46.123Z","address":{"street":"s"},"otherAddresses":[],"tags":[],)"
           R"("counts":{},"tree":{"name":"root"},"extra":null,"settings":{}})";
}

}  // namespace buildplan::example
