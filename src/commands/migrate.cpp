#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "commands/command.hpp"
#include "commands/settings_option.hpp"
#include "core/operator_error.hpp"
#include "core/text.hpp"
#include "postgres/migrations.hpp"

namespace buildplan::commands {
namespace {

void print(postgres::MigrationReport const& report, bool dry_run, bool json) {
    if (json) {
        std::string files;
        for (auto const& file : report.applied) {
            if (!files.empty()) files += ',';
            append_json_string(files, file);
        }
        fmt::print("{{\"dryRun\":{},\"before\":{},\"after\":{},\"applied\":[{}]}}\n", dry_run, report.version_before,
                   report.version, files);
        return;
    }
    if (report.applied.empty()) {
        fmt::print("The schema is at {}; there is nothing to do.\n", report.version);
        return;
    }
    for (auto const& file : report.applied) fmt::print("{} {}\n", dry_run ? "would apply" : "applied", file);
    fmt::print("The schema {} {} (it was at {}).\n", dry_run ? "would be at" : "is at", report.version,
               report.version_before);
}

}  // namespace

void add_migrate(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("migrate", "Brings the database's schema to this version");
    auto const option = std::make_shared<SettingsOption>();
    auto const dry_run = std::make_shared<bool>(false);
    auto const json = std::make_shared<bool>(false);
    option->add_to(*command);
    command->add_flag("--dry-run", *dry_run, "Only says what would be done");
    command->add_flag("--json", *json, "For scripts");
    command->callback([&chosen, option, dry_run, json] {
        chosen = [option, dry_run, json] {
            auto const settings = option->load();
            if (settings.postgres.owner_url.empty()) {
                throw OperatorError("BUILDPLAN_POSTGRES_OWNER_URL is not set",
                                    "set it to the database as buildplan_owner", 78);
            }
            print(postgres::migrate(settings.postgres.owner_url, {.dry_run = *dry_run}), *dry_run, *json);
            return 0;
        };
    });
}

}  // namespace buildplan::commands
