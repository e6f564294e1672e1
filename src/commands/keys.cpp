#include <CLI/CLI.hpp>

#include <fmt/core.h>

#include "commands/command.hpp"
#include "commands/options.hpp"
#include "commands/settings_option.hpp"
#include "core/operator_error.hpp"
#include "core/text.hpp"
#include "features/identity/tokens/key_store.hpp"

namespace buildplan::commands {
namespace {

// A loop, the pool and the keys, for as long as `work` takes.
template <class Work>
void with_keys(Settings const& settings, Work work) {
    if (settings.postgres.system_url.empty() || settings.api.secret.empty()) {
        throw OperatorError("Not set: BUILDPLAN_POSTGRES_SYSTEM_URL, BUILDPLAN_API_SECRET",
                            "give the command the settings that `serve` has", 78);
    }
    Loop loop(0, Log{});
    Offload offload(1, 8);
    postgres::SystemPool pool(loop, offload, postgres_options(settings, settings.postgres.system_url));
    auto const options = token_options(settings);
    identity::KeyStore store(pool, options.secret, options.times);
    std::exception_ptr failure;
    asio::co_spawn(
        loop.io(),
        [](Work& what, identity::KeyStore& keys, postgres::SystemPool& to_close) -> task<> {
            co_await what(keys);
            co_await to_close.close();
        }(work, store, pool),
        [&](std::exception_ptr error) {
            failure = std::move(error);
            loop.stop();
        });
    loop.run();
    if (failure) {
        try {
            std::rethrow_exception(failure);
        } catch (Problem const& problem) {
            throw OperatorError(problem.detail, "look whether PostgreSQL can be reached");
        }
    }
}

std::string_view state_of(identity::KnownKey const& key, identity::KnownKey const* signer, Timestamp time) {
    if (&key == signer) return "signs";
    if (key.active_from > time) return "is to sign";
    return key.retired_at ? "verifies" : "stands by";
}

task<> list(identity::KeyStore& store, bool json) {
    auto const set = co_await store.read();
    auto const time = now();
    auto const* const signer = set.signer(time);
    std::string out;
    for (auto const& key : set.keys()) {
        auto const ends = key.expires_at ? to_rfc3339(*key.expires_at) : std::string{};
        auto const state = state_of(key, signer, time);
        if (json) {
            out +=
                fmt::format(R"({}{{"kid":"{}","state":"{}","activeFrom":"{}","expiresAt":{}}})", out.empty() ? "" : ",",
                            key.kid, state, to_rfc3339(key.active_from), ends.empty() ? "null" : '"' + ends + '"');
        } else {
            fmt::print("{}  {:<10}  from {}{}{}\n", key.kid, state, to_rfc3339(key.active_from),
                       ends.empty() ? "" : "  until ", ends);
        }
    }
    if (json) fmt::print("[{}]\n", out);
}

}  // namespace

void add_keys(CLI::App& app, Run& chosen) {
    auto* const command = app.add_subcommand("keys", "The keys that sign access tokens");
    command->require_subcommand(1);
    auto const option = std::make_shared<SettingsOption>();
    option->add_to(*command);

    auto* const list_command = command->add_subcommand("list", "Says which there are");
    auto const json = std::make_shared<bool>(false);
    list_command->add_flag("--json", *json, "For scripts");
    list_command->callback([&chosen, option, json] {
        chosen = [option, json] {
            with_keys(option->load(), [json](identity::KeyStore& store) { return list(store, *json); });
            return 0;
        };
    });

    auto* const rotate = command->add_subcommand("rotate", "Makes a new one; nobody is logged out");
    auto const at_once = std::make_shared<bool>(false);
    rotate->add_flag("--now", *at_once, "Sign with it at once, not when everybody has had time to hear of it");
    rotate->callback([&chosen, option, at_once] {
        chosen = [option, at_once] {
            std::string kid;
            with_keys(option->load(), [&kid, at_once](identity::KeyStore& store) -> task<> {
                return [](identity::KeyStore& keys, std::string& out, bool now_already) -> task<> {
                    out = co_await keys.rotate(now_already);
                }(store, kid, *at_once);
            });
            fmt::print("{}\n", kid);
            return 0;
        };
    });
}

}  // namespace buildplan::commands
