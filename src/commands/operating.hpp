// What commands have in common that an operator runs beside a running installation: where its servers are (settings, or
// the data folder of `up`), and a loop with clients of them for as long as the command takes.
#pragma once

#include <functional>
#include <string>

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

}  // namespace buildplan::commands
