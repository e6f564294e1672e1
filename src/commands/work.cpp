#include <CLI/CLI.hpp>

#include "commands/command.hpp"
#include "commands/service.hpp"

namespace buildplan::commands {

void add_work(CLI::App& app, Run& chosen) {
    auto* const command =
        app.add_subcommand("work", "Does the work in the background; answers /health, /ready and /metrics only");
    auto const option = std::make_shared<SettingsOption>();
    option->add_to(*command);
    command->callback(
        [&chosen, option] { chosen = [option] { return run_service(*option, {.serve = false, .work = true}); }; });
}

}  // namespace buildplan::commands
