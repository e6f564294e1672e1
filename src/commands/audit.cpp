#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <map>
#include <sstream>

#include "commands/command.hpp"
#include "commands/settings_option.hpp"
#include "core/operator_error.hpp"
#include "core/text.hpp"
#include "features/audit/verify.hpp"

namespace buildplan::commands {
namespace {

struct AuditOptions {
    SettingsOption settings;
    std::string organization;
    std::string against;
    bool json = false;
};

using KnownChains = std::map<OrganizationId, audit::Known>;

std::string from_hex(std::string_view text) {
    std::string bytes;
    auto const digit = [](char c) { return std::string_view{"0123456789abcdef"}.find(c); };
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        auto const high = digit(text[i]), low = digit(text[i + 1]);
        if (high > 15 || low > 15) throw std::invalid_argument("no hex");
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

// What `audit verify --json` printed at another time.
KnownChains read_known(std::string const& file) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    KnownChains known;
    try {
        if (!stream) throw std::runtime_error("it cannot be read");
        boost::system::error_code no_json;
        auto const json = boost::json::parse(text.str(), no_json);
        if (no_json) throw std::runtime_error("it is not JSON");
        for (auto const& each : json.at("organizations").as_array()) {
            auto const id = OrganizationId::parse(each.at("id").as_string());
            auto const entries = each.at("entries").to_number<std::int64_t>();
            if (!id) throw std::runtime_error("an id of an organization in it is none");
            if (entries > 0) known[*id] = {entries, from_hex(each.at("hash").as_string())};
        }
    } catch (std::exception const& error) {
        throw OperatorError(fmt::format("{} is not what 'audit verify --json' printed ({})", file, error.what()),
                            "name a file with its whole output", 66);  // EX_NOINPUT
    }
    return known;
}

void print_json(bool first, audit::Verified const& verified, std::string const& slug) {
    std::string problem = "null";
    if (verified.broken) {
        problem.clear();
        append_json_string(problem, verified.broken->problem);
    }
    fmt::print(R"({}{{"id":"{}","slug":"{}","entries":{},"hash":"{}","brokenAt":{},"problem":{}}})",
               first ? "\n" : ",\n", verified.organization.to_string(), slug, verified.entries, verified.hash,
               verified.broken ? std::to_string(verified.broken->seq) : "null", problem);
}

void print_text(audit::Verified const& verified, std::string const& slug) {
    if (verified.broken) {
        fmt::print("{}: BROKEN at entry {}: {}\n", slug, verified.broken->seq, verified.broken->problem);
    } else {
        fmt::print("{}: {} entries\n", slug, verified.entries);
    }
}

int verify_all(AuditOptions const& options) {
    auto const settings = options.settings.load();
    if (settings.postgres.app_url.empty() || settings.postgres.system_url.empty()) {
        throw OperatorError("BUILDPLAN_POSTGRES_APP_URL or BUILDPLAN_POSTGRES_SYSTEM_URL is not set",
                            "set them to the database as buildplan_app and as buildplan_system", 78);
    }
    auto known = options.against.empty() ? KnownChains{} : read_known(options.against);
    postgres::Session system(settings.postgres.system_url);
    postgres::Session app(settings.postgres.app_url);
    std::size_t broken = 0;
    bool first = true;
    if (options.json) fmt::print("{{\"organizations\":[");
    auto const count =
        audit::each_organization(system, options.organization, [&](OrganizationId id, std::string const& slug) {
            auto const before = known.find(id);
            auto const verified =
                audit::verify(app, id, before == known.end() ? std::nullopt : std::optional{before->second});
            if (verified.broken) ++broken;
            known.erase(id);
            options.json ? print_json(first, verified, slug) : print_text(verified, slug);
            first = false;
        });
    if (options.json) fmt::print("\n],\"ok\":{}}}\n", broken == 0);
    if (count == 0 && !options.organization.empty()) {
        throw OperatorError(fmt::format("There is no organization {}", options.organization),
                            "name it by its slug or its id");
    }
    if (options.organization.empty() && !known.empty()) {
        fmt::print(stderr, "{} organizations that {} knows are gone.\n", known.size(), options.against);
    }
    if (!options.json) fmt::print("{} of {} chains hold.\n", count - broken, count);
    return broken == 0 ? 0 : 1;
}

}  // namespace

void add_audit(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("audit", "The log of what was done");
    command->require_subcommand(1);
    auto* const verify = command->add_subcommand("verify", "Whether its chains hold; 1 when one is broken");
    auto const options = std::make_shared<AuditOptions>();
    options->settings.add_to(*verify);
    verify->add_option("--organization", options->organization, "Only that one: its slug or its id");
    verify->add_option("--against", options->against,
                       "An earlier output of --json: what it says must still be there, unchanged");
    verify->add_flag("--json", options->json, "For scripts, and for --against");
    verify->callback([&chosen, options] { chosen = [options] { return verify_all(*options); }; });
}

}  // namespace buildplan::commands
