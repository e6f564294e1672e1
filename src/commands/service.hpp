// What `serve` and `work` have in common: a process on databases that others run, until a signal ends it.
#pragma once

#include "commands/application.hpp"
#include "commands/settings_option.hpp"

namespace buildplan::commands {

int run_service(SettingsOption const& option, Roles roles);

}  // namespace buildplan::commands
