#include "features/audit/routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/response.hpp"
#include "features/audit/export.hpp"
#include "features/audit/service.hpp"

namespace buildplan::audit {
namespace {

using api::Call;
using api::Response;
using api::Shard;

// Of an export: how many entries are in memory at a time. They may be half a mebibyte each, and are usually less than
// a kibibyte.
constexpr std::int64_t export_batch = 64;

task<Response> list_audit_log(Shard& shard, Call const& call) {
    auto filter = call.query<AuditFilter>();
    auto const after = call.after<std::int64_t>();
    auto const before_seq = after ? std::optional{std::get<0>(*after)} : std::nullopt;
    auto found = co_await list(shard.postgres, call.principal(), std::move(filter), before_seq, api::rows_for(call));
    auto const item = [](AuditEntry&& entry) { return std::move(entry); };
    auto const page =
        api::page_of(call, std::move(found), item, [](auto const& entry) { return std::tuple{entry.seq}; });
    co_return api::ok(page);
}

task<> write_entries(net::BodyWriter& writer, postgres::Pool& pool, Principal principal, AuditExport wanted,
                     std::int64_t last) {
    auto const filter = wanted.filter();
    std::string piece(export_head(wanted.format));
    for (std::int64_t seq = 0;;) {
        auto const entries = co_await next_for_export(pool, principal, filter, seq, last, export_batch);
        for (auto const& entry : entries) append_to_export(piece, wanted.format, entry);
        if (!piece.empty()) co_await writer.write(piece);
        if (std::ssize(entries) < export_batch) co_return;
        seq = entries.back().seq;
        piece.clear();
    }
}

// Who takes the log away is part of it.
task<std::int64_t> record_export(Shard& shard, Call const& call, AuditExport const& wanted) {
    auto const format = wanted.format == ExportFormat::csv ? R"({"format": "csv"})" : R"({"format": "jsonl"})";
    auto const actor = call.actor();
    auto tx = shard.postgres.begin(call.principal(), actor);
    api::Tx open(tx);
    co_await record(open, {.action = "audit_log.exported", .target_kind = "audit_log", .after = format});
    co_await tx.commit();
    co_return co_await last_seq(shard.postgres, call.principal());
}

task<Response> export_audit_log(Shard& shard, Call const& call) {
    auto wanted = call.query<AuditExport>();
    auto const last = co_await record_export(shard, call, wanted);
    bool const csv = wanted.format == ExportFormat::csv;
    Response response(200);
    response.content_type = csv ? "text/csv; charset=utf-8; header=present" : "application/jsonl; charset=utf-8";
    response.header("Content-Disposition",
                    csv ? R"(attachment; filename="audit-log.csv")" : R"(attachment; filename="audit-log.jsonl")");
    response.stream = [&pool = shard.postgres, principal = call.principal(), wanted = std::move(wanted),
                       last](net::BodyWriter& writer) { return write_entries(writer, pool, principal, wanted, last); };
    co_return response;
}

constexpr std::string_view example = R"({"items": [{"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "seq": 12,
    "at": "2026-11-23T17:20:46.123Z",
    "actor": {"kind": "user", "id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70", "name": "ada@example.com"},
    "action": "workspace.renamed", "target": {"kind": "workspace", "id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d71"},
    "before": {"name": "Shop"}, "after": {"name": "Web shop"}, "address": "203.0.113.7",
    "requestId": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d72",
    "hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}], "nextCursor": null})";

constexpr auto audit_log = api::tag("Audit log", "What was done in the organization, by whom and from where.");

constexpr api::Route table[] = {
    {"GET", "/v1/audit-log", "org.audit.read", api::handle<list_audit_log>, "List what was done", audit_log,
     api::query<AuditFilter>, api::paged("-seq"), api::returns<api::Page<AuditEntry>>().example(example)},
    {"GET", "/v1/audit-log/export", "org.audit.read", api::handle<export_audit_log>, "Download what was done",
     audit_log,
     api::describe("All entries that the filters let through, oldest first, as they were when the download began. The "
                   "download is recorded."),
     api::query<AuditExport>, api::returns_as("application/jsonl"), api::returns_as("text/csv"), api::heavy},
};

}  // namespace

std::span<api::Route const> routes() noexcept { return table; }

}  // namespace buildplan::audit
