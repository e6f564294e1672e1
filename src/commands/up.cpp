#include <CLI/CLI.hpp>
#include <exception>
#include <thread>

#include "commands/command.hpp"
#include "commands/installation.hpp"
#include "commands/signals.hpp"

namespace buildplan::commands {
namespace {

int run(UpOptions const& options) {
    Installation installation(options);
    // Starting may take a while (recovery after a crash), so it has a thread, and this one hears Ctrl-C meanwhile.
    std::exception_ptr failure;
    bool started = false;
    std::thread starter([&] {
        try {
            installation.start();
            started = true;
        } catch (...) {
            failure = std::current_exception();
        }
        wake_main();
    });
    if (wait_for_signal() != 0) {
        // Everything here may be killed at any moment; so it may be left, too. The servers go with this process.
        std::_Exit(130);
    }
    starter.join();
    if (failure) std::rethrow_exception(failure);
    installation.announce();
    while (wait_for_signal() == 0) {
    }
    release_signals();
    installation.stop();
    return 0;
}

}  // namespace

void add_up(CLI::App& app, Run& chosen) {
    auto* const command =
        app.add_subcommand("up", "Runs everything on this machine: PostgreSQL, Redis, API and workers");
    auto const options = std::make_shared<UpOptions>();
    command->add_option("--data", options->data, "Where everything is kept")->type_name("DIR")->capture_default_str();
    command
        ->add_option_function<std::string>(
            "--port",
            [options](std::string const& port) { options->settings.overrides.emplace_back("http.port", port); },
            "The port of the API (8080); 0 takes any that is free")
        ->type_name("PORT");
    command
        ->add_option_function<std::string>(
            "--shards",
            [options](std::string const& count) { options->settings.overrides.emplace_back("http.shards", count); },
            "Threads that serve; 0 is one for each core")
        ->type_name("N");
    command->add_option("--postgres-port", options->postgres_port, "Lets PostgreSQL listen on 127.0.0.1, too")
        ->type_name("PORT")
        ->check(CLI::Range(1, 65535));
    options->settings.add_to(*command);
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace buildplan::commands
