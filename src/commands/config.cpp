#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "commands/command.hpp"
#include "commands/settings_option.hpp"
#include "core/text.hpp"

namespace buildplan::commands {
namespace {

void print_json(std::vector<SettingInfo> const& all) {
    std::string out = "[";
    for (auto const& each : all) {
        out += out.size() > 1 ? ",\n {" : "\n {";
        auto const member = [&](std::string_view name, std::string_view value) {
            append_json_string(out, name);
            out += ':';
            append_json_string(out, value);
            out += ',';
        };
        member("name", each.name);
        member("env", each.env);
        member("type", each.type);
        member("default", each.standard);
        member("value", each.value);
        member("meaning", each.meaning);
        out += fmt::format("\"secret\":{}}}", each.secret);
    }
    fmt::print("{}\n]\n", out);
}

void print_text(std::vector<SettingInfo> const& all) {
    for (auto const& each : all) {
        fmt::print("{}\n    {}\n    {} in a file: {}; {}\n", each.env, each.meaning,
                   each.standard.empty() ? "no default;" : fmt::format("default {};", each.standard), each.name,
                   each.type);
        if (each.value != each.standard) fmt::print("    now {}\n", each.value);
    }
}

}  // namespace

void add_config(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("config", "Shows and checks the settings");
    command->require_subcommand(1);
    auto const option = std::make_shared<SettingsOption>();

    auto* const list = command->add_subcommand("list", "Every setting with its default, its value and its meaning");
    auto const json = std::make_shared<bool>(false);
    option->add_to(*list);
    list->add_flag("--json", *json, "For scripts");
    list->callback([&chosen, option, json] {
        chosen = [option, json] {
            auto const all = describe_settings(option->load());
            if (*json) {
                print_json(all);
            } else {
                print_text(all);
            }
            return 0;
        };
    });

    auto* const check = command->add_subcommand("check", "Whether the settings can be read; every error at once");
    option->add_to(*check);
    check->callback([&chosen, option] {
        chosen = [option] {
            (void)option->load();
            fmt::print("The settings are fine.\n");
            return 0;
        };
    });
}

}  // namespace buildplan::commands
