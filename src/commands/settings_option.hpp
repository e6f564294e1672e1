// What the commands that read settings have in common: --config, and all errors at once.
#pragma once

#include <string>

#include "core/settings.hpp"

namespace CLI {
class App;
}

namespace buildplan::commands {

struct SettingsOption {
    std::string file;
    NamedValues overrides;  // of flags that are settings: --port

    void add_to(CLI::App& command);
    // Prints every error on a line of its own and throws OperatorError when there are any.
    [[nodiscard]] Settings load() const;
};

}  // namespace buildplan::commands
