// The subcommands of the program, one file each. Each adds itself to the command line and, when it was chosen, leaves
// in `chosen` what main() then runs; its result is the exit code. Throws OperatorError.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace buildplan::commands {

using Run = std::function<int()>;

void add_up(CLI::App& app, Run& chosen);
void add_serve(CLI::App& app, Run& chosen);
void add_work(CLI::App& app, Run& chosen);
void add_migrate(CLI::App& app, Run& chosen);
void add_config(CLI::App& app, Run& chosen);
void add_openapi(CLI::App& app, Run& chosen);
void add_keys(CLI::App& app, Run& chosen);
void add_audit(CLI::App& app, Run& chosen);
void add_owner(CLI::App& app, Run& chosen);
void add_queue(CLI::App& app, Run& chosen);
void add_version(CLI::App& app, Run& chosen);

}  // namespace buildplan::commands
