// What commands have in common that an operator runs beside a running installation: where its servers are (settings, or
// the data folder of `up`), and a loop with clients of them for as long as the command takes.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "commands/command.hpp"
#include "commands/settings_option.hpp"
#include "postgres/pool.hpp"
#include "redis/client.hpp"

namespace buildplan::commands {

struct InstallationOption {
    SettingsOption settings;
    std::string data;  // the folder of a running `up`; empty: the settings say where everything is

    void add_to(CLI::App& command);
    // Throws OperatorError where it cannot be told where PostgreSQL and the queue's Redis are.
    [[nodiscard]] Settings load() const;
};

struct Operated {
    Loop& loop;
    postgres::SystemPool& system;
    redis::Client& queue;  // not connected where it is gone
};

// Runs `work` on a loop of its own. A Problem and a Redis that is gone become OperatorErrors.
void operate(Settings const& settings, std::function<task<>(Operated&)> const& work);

// A subcommand that operates so. `Options` has an InstallationOption `installation`.
template <class Options>
CLI::App* operating_subcommand(CLI::App& of, Run& chosen, std::shared_ptr<Options> const& options, char const* name,
                               char const* about, task<> (*what)(std::shared_ptr<Options>, Operated&)) {
    auto* const command = of.add_subcommand(name, about);
    command->callback([&chosen, options, what] {
        chosen = [options, what] {
            operate(options->installation.load(),
                    [options, what](Operated& operated) { return what(options, operated); });
            return 0;
        };
    });
    return command;
}

}  // namespace buildplan::commands
