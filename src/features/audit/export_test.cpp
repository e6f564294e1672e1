#include "features/audit/export.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace buildplan::audit {
namespace {

AuditEntry entry() {
    return {.id = {},
            .seq = 7,
            .at = parse_rfc3339("2026-11-23T17:20:46.123Z").value(),
            .actor = {.kind = ActorKind::api_key, .id = AuditActorId{}, .name = "CI"},
            .action = "thing.made",
            .target = {.kind = "thing", .id = "1"},
            .before = std::nullopt,
            .after = boost::json::parse(R"({"name":"A, \"B\""})"),
            .address = "::1",
            .request_id = std::nullopt,
            .hash = "00ff"};
}

std::string csv(AuditEntry const& entry) {
    std::string out;
    append_to_export(out, ExportFormat::csv, entry);
    return out;
}

TEST(AuditExport, HasARowForEachEntryInCsv) {
    std::string const nil = "00000000-0000-0000-0000-000000000000";
    EXPECT_EQ(csv(entry()), "7,2026-11-23T17:20:46.123Z,api_key," + nil +
                                ",CI,thing.made,thing,1,,\"{\"\"name\"\":\"\"A, \\\"\"B\\\"\"\"\"}\",::1,," + nil +
                                ",00ff\r\n");
    auto const head = export_head(ExportFormat::csv);
    auto const row = csv([] {
        auto plain = entry();
        plain.after.reset();
        return plain;
    }());
    EXPECT_EQ(std::ranges::count(head, ','), std::ranges::count(row, ','));
}

TEST(AuditExport, IsNoFormulaForASpreadsheet) {
    for (std::string const name : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"}) {
        auto wanted = entry();
        wanted.actor.name = name;
        EXPECT_NE(csv(wanted).find(",\"'" + name + "\","), std::string::npos) << name;
        wanted = entry();
        wanted.target.id = name;
        EXPECT_NE(csv(wanted).find(",\"'" + name + "\","), std::string::npos) << name;
    }
}

TEST(AuditExport, IsALineForEachEntryInJsonLines) {
    std::string out(export_head(ExportFormat::jsonl));
    append_to_export(out, ExportFormat::jsonl, entry());
    append_to_export(out, ExportFormat::jsonl, entry());
    EXPECT_EQ(std::ranges::count(out, '\n'), 2);
    auto const line = boost::json::parse(out.substr(0, out.find('\n')));
    EXPECT_EQ(line.at("after").at("name"), "A, \"B\"");
    EXPECT_TRUE(line.at("before").is_null());
    EXPECT_EQ(line.at("actor").at("kind"), "api_key");
}

}  // namespace
}  // namespace buildplan::audit
