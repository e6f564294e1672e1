#include <CLI/CLI.hpp>

#include <fmt/core.h>

#include "commands/command.hpp"
#include "commands/operating.hpp"
#include "core/operator_error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "features/identity/service.hpp"

namespace buildplan::commands {
namespace {

struct OwnerOptions {
    InstallationOption installation;
    std::string email;
    bool json = false;
};
using Shared = std::shared_ptr<OwnerOptions>;

task<> add(Shared options, Operated& operated) {
    switch (co_await identity::add_installation_owner(operated.system, options->email)) {
        case identity::OwnerAdded::added:
            fmt::print("{} owns the installation now.\n", options->email);
            break;
        case identity::OwnerAdded::was_one:
            fmt::print("{} owned the installation before.\n", options->email);
            break;
        case identity::OwnerAdded::nobody:
            throw OperatorError(fmt::format("Nobody has the address {}", options->email), "let them register first",
                                67);  // EX_NOUSER
    }
}

task<> remove(Shared options, Operated& operated) {
    bool const was = co_await identity::remove_installation_owner(operated.system, options->email);
    if (!was)
        throw OperatorError(fmt::format("{} does not own the installation", options->email),
                            "`buildplan owner ls` says who does", 67);
    fmt::print("{} does not own the installation any more.\n", options->email);
}

task<> list(Shared options, Operated& operated) {
    auto const owners = co_await identity::installation_owners(operated.system);
    if (options->json) {
        std::string out;
        for (auto const& owner : owners) {
            out += fmt::format(R"({}{{"userId":"{}","email":)", out.empty() ? "" : ",", owner.user.to_string());
            append_json_string(out, owner.email);
            out += R"(,"name":)";
            append_json_string(out, owner.name);
            out += fmt::format(R"(,"since":"{}"}})", to_rfc3339(owner.since));
        }
        fmt::print("[{}]\n", out);
        co_return;
    }
    for (auto const& owner : owners) fmt::print("{:<40}  since {}\n", owner.email, to_rfc3339(owner.since));
    if (owners.empty()) fmt::print("No person owns the installation.\n");
}

}  // namespace

void add_owner(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("owner", "Who runs the installation and may see and steer its queues");
    command->require_subcommand(1);
    auto const options = std::make_shared<OwnerOptions>();
    options->installation.add_to(*command);
    for (auto* const each :
         {operating_subcommand(*command, chosen, options, "add", "Makes somebody an owner", add),
          operating_subcommand(*command, chosen, options, "remove", "Makes them an owner no more", remove)}) {
        each->add_option("EMAIL", options->email, "Whose address")->required();
    }
    operating_subcommand(*command, chosen, options, "ls", "Says who is one", list)
        ->add_flag("--json", options->json, "For scripts");
}

}  // namespace buildplan::commands
