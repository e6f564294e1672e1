#include "features/audit/service.hpp"

#include <boost/describe/enum_from_string.hpp>
#include <boost/json/parse.hpp>
#include <limits>
#include <stdexcept>

#include "core/text.hpp"
#include "features/audit/queries.gen.hpp"

namespace buildplan::audit {
namespace {

std::optional<boost::json::value> parsed(std::optional<postgres::Json> const& json) {
    if (!json) return std::nullopt;
    return boost::json::parse(json->text);
}

std::optional<postgres::JsonView> json_of(std::optional<std::string_view> text) {
    return text ? std::optional{postgres::JsonView{*text}} : std::nullopt;
}

std::optional<std::string_view> view(std::optional<std::string> const& text) {
    return text ? std::optional<std::string_view>{*text} : std::nullopt;
}

ActorKind kind_of(std::string const& text) {
    ActorKind kind{};
    if (!boost::describe::enum_from_string(text.c_str(), kind)) throw std::logic_error("An actor of an unknown kind.");
    return kind;
}

AuditEntry to_entry(queries::AuditRow row) {
    return {.id = row.id,
            .seq = row.seq,
            .at = row.at,
            .actor = {kind_of(row.actor_kind), row.actor_id, std::move(row.actor_name)},
            .action = std::move(row.action),
            .target = {std::move(row.target_kind), std::move(row.target_id)},
            .before = parsed(row.before),
            .after = parsed(row.after),
            .address = std::move(row.address),
            .request_id = std::move(row.request_id),
            .hash = to_hex(row.hash)};
}

std::vector<AuditEntry> to_entries(std::vector<queries::AuditRow> rows) {
    std::vector<AuditEntry> entries;
    entries.reserve(rows.size());
    for (auto& row : rows) entries.push_back(to_entry(std::move(row)));
    return entries;
}

}  // namespace

task<> record(api::Tx& tx, Event event) {
    queries::Record const query{.action = event.action,
                                .target_kind = event.target_kind,
                                .target_id = event.target_id,
                                .before = json_of(event.before),
                                .after = json_of(event.after)};
    co_await tx.run(query);
}

task<> record(postgres::SystemTx& tx, OrganizationId organization, Event event) {
    queries::RecordFor const query{.organization_id = organization,
                                   .action = event.action,
                                   .target_kind = event.target_kind,
                                   .target_id = event.target_id,
                                   .before = json_of(event.before),
                                   .after = json_of(event.after)};
    co_await tx.run(query);
}

task<std::vector<AuditEntry>> list(postgres::Pool& pool, Principal const& principal, AuditFilter filter,
                                   std::optional<std::int64_t> before_seq, std::int64_t limit) {
    auto const before = before_seq.value_or(std::numeric_limits<std::int64_t>::max());
    std::vector<queries::AuditRow> rows;
    if (filter.target) {
        queries::ListEntriesOfTarget const query{.target = *filter.target,
                                                 .before_seq = before,
                                                 .from = filter.from,
                                                 .to = filter.to,
                                                 .action = view(filter.action),
                                                 .actor = filter.actor,
                                                 .limit = limit};
        rows = co_await pool.all(principal, query);
    } else {
        queries::ListEntries const query{.before_seq = before,
                                         .from = filter.from,
                                         .to = filter.to,
                                         .action = view(filter.action),
                                         .actor = filter.actor,
                                         .limit = limit};
        rows = co_await pool.all(principal, query);
    }
    co_return to_entries(std::move(rows));
}

task<std::int64_t> last_seq(postgres::Pool& pool, Principal const& principal) {
    queries::LastSeq const query;
    auto const row = co_await pool.one(principal, query);
    co_return row ? row->seq : 0;
}

task<std::vector<AuditEntry>> next_for_export(postgres::Pool& pool, Principal const& principal,
                                              AuditFilter const& filter, std::int64_t after_seq, std::int64_t last,
                                              std::int64_t limit) {
    queries::ExportEntries const query{.after_seq = after_seq,
                                       .last_seq = last,
                                       .from = filter.from,
                                       .to = filter.to,
                                       .action = view(filter.action),
                                       .actor = filter.actor,
                                       .target = view(filter.target),
                                       .limit = limit};
    auto rows = co_await pool.all(principal, query, postgres::Lane::heavy);
    co_return to_entries(std::move(rows));
}

}  // namespace buildplan::audit
