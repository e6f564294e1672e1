// What the audit log speaks of.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "core/id.hpp"
#include "core/json/json.hpp"
#include "core/time.hpp"

namespace buildplan::audit {

using AuditEntryId = Id<struct AuditEntryTag>;
using AuditActorId = Id<struct AuditActorTag>;  // a person or an API key

enum class ActorKind : std::uint8_t { user, api_key, system };
BOOST_DESCRIBE_ENUM(ActorKind, user, api_key, system)

struct AuditActor {
    ActorKind kind = ActorKind::system;
    std::optional<AuditActorId> id;
    std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(AuditActor, (), (kind, id, name))
constexpr auto json_rules(AuditActor const*) {
    return json::fields(json::field("id").write_null().about("The person or the API key; null for the program itself."),
                        json::field("name").write_null().about("As it was then: an address, a key's name."));
}

struct AuditTarget {
    std::string kind;
    std::optional<std::string> id;
};
BOOST_DESCRIBE_STRUCT(AuditTarget, (), (kind, id))
constexpr auto json_rules(AuditTarget const*) {
    return json::fields(json::field("kind").about("What was acted on: `workspace`, `member`, …"),
                        json::field("id").write_null());
}

struct AuditEntry {
    AuditEntryId id;
    std::int64_t seq = 0;
    Timestamp at;
    AuditActor actor;
    std::string action;
    AuditTarget target;
    std::optional<boost::json::value> before;
    std::optional<boost::json::value> after;
    std::optional<std::string> address;
    std::optional<std::string> request_id;
    std::string hash;
};
BOOST_DESCRIBE_STRUCT(AuditEntry, (), (id, seq, at, actor, action, target, before, after, address, request_id, hash))
constexpr auto json_rules(AuditEntry const*) {
    return json::fields(
        json::field("seq").about("Counts the entries of the organization from 1, without a gap."),
        json::field("action").about("What was done: `workspace.created`, `member.role_changed`, …"),
        json::field("before").write_null().about("What the action changed, as it was; null where there was nothing."),
        json::field("after").write_null().about("The same as it is since; null where there is nothing any more."),
        json::field("address").write_null().about("Where the request came from."),
        json::field("request_id").write_null().about("The request's X-Request-Id."),
        json::field("hash").about("SHA-256, in hex, over this entry and the hash of the one before it."));
}

struct AuditFilter {
    std::optional<AuditActorId> actor;
    std::optional<std::string> action;
    std::optional<std::string> target;
    std::optional<Timestamp> from;
    std::optional<Timestamp> to;
};
BOOST_DESCRIBE_STRUCT(AuditFilter, (), (actor, action, target, from, to))
constexpr auto json_rules(AuditFilter const*) {
    return json::fields(json::field("actor").about("Only what this person or API key did: an id."),
                        json::field("action").length(1, 100).about("Only this action."),
                        json::field("target").length(1, 200).about("Only what was done to this: an id."),
                        json::field("from").about("Only what was done at this time or later."),
                        json::field("to").about("Only what was done before this time."));
}

enum class ExportFormat : std::uint8_t { jsonl, csv };
BOOST_DESCRIBE_ENUM(ExportFormat, jsonl, csv)

// The filters again: a described struct has no others inside it in a query.
struct AuditExport {
    ExportFormat format = ExportFormat::jsonl;
    std::optional<AuditActorId> actor;
    std::optional<std::string> action;
    std::optional<std::string> target;
    std::optional<Timestamp> from;
    std::optional<Timestamp> to;

    [[nodiscard]] AuditFilter filter() const { return {actor, action, target, from, to}; }
};
BOOST_DESCRIBE_STRUCT(AuditExport, (), (format, actor, action, target, from, to))
constexpr auto json_rules(AuditExport const*) {
    return json::fields(json::field("format").defaulted().about("`jsonl`, an entry per line, or `csv`."),
                        json::field("actor").about("Only what this person or API key did: an id."),
                        json::field("action").length(1, 100).about("Only this action."),
                        json::field("target").length(1, 200).about("Only what was done to this: an id."),
                        json::field("from").about("Only what was done at this time or later."),
                        json::field("to").about("Only what was done before this time."));
}

}  // namespace buildplan::audit
