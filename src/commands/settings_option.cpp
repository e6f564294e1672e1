#include "commands/settings_option.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/operator_error.hpp"

namespace buildplan::commands {

void SettingsOption::add_to(CLI::App& command) {
    command.add_option("--config", file, "A YAML file of settings; the environment is above it")->type_name("FILE");
}

Settings SettingsOption::load() const {
    auto loaded = load_settings(environment(), file, overrides);
    if (loaded.errors.empty()) return std::move(loaded.settings);
    for (auto const& error : loaded.errors) std::fprintf(stderr, "buildplan: %s\n", error.c_str());
    throw OperatorError(loaded.errors.size() == 1 ? "One setting is wrong" : "Some settings are wrong",
                        "`buildplan config list` describes all of them", 78);  // EX_CONFIG
}

}  // namespace buildplan::commands
