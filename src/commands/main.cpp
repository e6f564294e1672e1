#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "commands/command.hpp"
#include "commands/signals.hpp"
#include "core/operator_error.hpp"

int main(int argc, char** argv) {
    using namespace buildplan;
    // Before there is any thread: all of them inherit it, and the signals wait for the one that asks for them.
    commands::hold_signals();

    CLI::App app{"BuildPlan turns requests into plans, has them carried out, and proves it."};
    app.name("buildplan");
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Help for all commands");
    commands::Run chosen;
    commands::add_up(app, chosen);
    commands::add_serve(app, chosen);
    commands::add_work(app, chosen);
    commands::add_migrate(app, chosen);
    commands::add_config(app, chosen);
    commands::add_openapi(app, chosen);
    commands::add_keys(app, chosen);
    commands::add_audit(app, chosen);
    commands::add_owner(app, chosen);
    commands::add_queue(app, chosen);
    commands::add_version(app, chosen);
    try {
        app.parse(argc, argv);
        return chosen();
    } catch (CLI::ParseError const& error) {
        return app.exit(error);
    } catch (OperatorError const& error) {
        std::fprintf(stderr, "buildplan: %s\n", error.what());
        return error.exit_code;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "buildplan: unexpected: %s\n", error.what());
        return 70;  // EX_SOFTWARE of sysexits.h
    }
}
