#include <algorithm>
#include <charconv>

#include "core/operator_error.hpp"
#include "fmt/core.h"
#include "postgres/migrations.hpp"

namespace buildplan::postgres {
namespace {

std::vector<AppliedMigration> applied_migrations(Session& session) {
    std::vector<AppliedMigration> applied;
    if (!session.value("SELECT to_regclass('public.schema_migrations')::text")) return applied;
    auto const rows =
        session.query("SELECT version, name, phase, checksum FROM public.schema_migrations ORDER BY version");
    applied.reserve(rows.size());
    for (auto const& row : rows) {
        AppliedMigration migration{.file = row[1].value_or(""), .checksum = row[3].value_or("")};
        auto const version = row[0].value_or("");
        std::from_chars(version.data(), version.data() + version.size(), migration.version);
        migration.phase = row[2] == "expand" ? Phase::expand : Phase::contract;
        applied.push_back(std::move(migration));
    }
    return applied;
}

}  // namespace

SchemaReport schema_state(std::span<Migration const> known, std::span<AppliedMigration const> applied) {
    SchemaReport report{.known = static_cast<int>(known.size()), .version = static_cast<int>(applied.size())};
    auto const is = [&](SchemaState state, std::string const& file) {
        report.state = state;
        report.culprit = file;
        return report;
    };
    for (std::size_t i = 0; i < applied.size(); ++i) {
        if (applied[i].version != static_cast<int>(i) + 1) return is(SchemaState::unknown, applied[i].file);
        if (i < known.size() && applied[i].checksum != known[i].checksum)
            return is(SchemaState::changed, applied[i].file);
    }
    if (applied.size() < known.size()) return is(SchemaState::behind, "");
    if (applied.size() == known.size()) return is(SchemaState::current, "");
    auto const newer = applied.subspan(known.size());
    auto const contract = std::ranges::find(newer, Phase::contract, &AppliedMigration::phase);
    return contract == newer.end() ? is(SchemaState::ahead, "") : is(SchemaState::too_new, contract->file);
}

SchemaReport schema_state(Session& session, std::span<Migration const> known) {
    return schema_state(known, applied_migrations(session));
}

void refuse(SchemaReport const& report) {
    switch (report.state) {
        case SchemaState::current:
        case SchemaState::ahead:
            return;
        case SchemaState::behind:
            throw OperatorError(fmt::format("The database is at schema version {}, and this program needs {}",
                                            report.version, report.known),
                                "run 'buildplan migrate'");
        case SchemaState::too_new:
            throw OperatorError(
                fmt::format("This program is too old for the schema: it knows version {}, and {} of version {} took "
                            "something away",
                            report.known, report.culprit, report.version),
                "run the newer program");
        case SchemaState::changed:
            throw OperatorError(
                fmt::format("The migration {} that was applied is not the one this program has", report.culprit),
                "run the program that made this database, or restore the file and build again");
        case SchemaState::unknown:
            throw OperatorError(fmt::format("The table schema_migrations has a gap before {}", report.culprit),
                                "this is not a database that 'buildplan migrate' made; restore it, or use another");
    }
}

SchemaReport check_schema(std::string const& app_url) {
    Session session(app_url);
    try {
        auto report = schema_state(session);
        refuse(report);
        return report;
    } catch (ServerError const& error) {
        throw OperatorError(fmt::format("The schema of the database cannot be read ({})", error.describe()),
                            "use the URL of buildplan_app, and run 'buildplan migrate' first");
    }
}

}  // namespace buildplan::postgres
