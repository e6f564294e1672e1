#include <CLI/CLI.hpp>
#include <cstdio>

#include "api/openapi.hpp"
#include "commands/command.hpp"
#include "commands/version.hpp"
#include "features/route_table.hpp"

namespace buildplan::commands {

void add_openapi(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("openapi", "Prints the OpenAPI document of the API");
    command->callback([&chosen] {
        chosen = [] {
            auto const document = api::pretty(api::openapi_document(features::route_tables(), version));
            std::fwrite(document.data(), 1, document.size(), stdout);
            return 0;
        };
    });
}

}  // namespace buildplan::commands
