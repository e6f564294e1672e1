#include <CLI/CLI.hpp>

#include "commands/command.hpp"
#include "commands/service.hpp"

namespace buildplan::commands {

void add_serve(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("serve", "Serves the API on databases that others run; never migrates");
    auto const option = std::make_shared<SettingsOption>();
    option->add_to(*command);
    command->callback(
        [&chosen, option] { chosen = [option] { return run_service(*option, {.serve = true, .work = false}); }; });
}

}  // namespace buildplan::commands
