#include <CLI/CLI.hpp>

#include <fmt/core.h>

#include "commands/command.hpp"
#include "commands/version.hpp"
#include "postgres/migrations.hpp"

namespace buildplan::commands {

void add_version(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("version", "Says which version this is");
    auto const json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "For scripts");
    command->callback([&chosen, json] {
        chosen = [json] {
            auto const schema = postgres::known_migrations().size();
            if (*json) {
                fmt::print("{{\"version\":\"{}\",\"schema\":{}}}\n", version, schema);
            } else {
                fmt::print("buildplan {} (schema {})\n", version, schema);
            }
            return 0;
        };
    });
}

}  // namespace buildplan::commands
