#include "commands/service.hpp"

#include <unistd.h>

#include "commands/signals.hpp"
#include "commands/version.hpp"
#include "core/operator_error.hpp"
#include "postgres/migrations.hpp"

namespace buildplan::commands {
namespace {

void require(Settings const& settings) {
    std::pair<std::string_view, std::string const*> const needed[] = {
        {"BUILDPLAN_POSTGRES_APP_URL", &settings.postgres.app_url},
        {"BUILDPLAN_POSTGRES_SYSTEM_URL", &settings.postgres.system_url},
        {"BUILDPLAN_REDIS_QUEUE_URL", &settings.redis.queue_url},
        {"BUILDPLAN_REDIS_CACHE_URL", &settings.redis.cache_url},
        {"BUILDPLAN_API_SECRET", &settings.api.secret},
    };
    std::string missing;
    for (auto const& [name, value] : needed) {
        if (value->empty()) missing += (missing.empty() ? "" : ", ") + std::string(name);
    }
    if (!missing.empty()) {
        throw OperatorError("Not set: " + missing,
                            "set them in the environment or in a file (see `buildplan config list`)", 78);
    }
}

}  // namespace

int run_service(SettingsOption const& option, Roles roles) {
    auto const settings = option.load();
    require(settings);
    auto const schema = postgres::check_schema(settings.postgres.app_url);

    LogSink sink(STDERR_FILENO, settings.log.format, settings.log.level);
    Log const log(sink);
    auto listeners = net::Listener::open(settings.http.address, settings.http.port, Application::shard_count(settings));
    auto const port = listeners.front().port();
    Application application(settings, roles, std::move(listeners), log);
    application.start();
    log.info("started", {{"version", version},
                         {"address", settings.http.address},
                         {"port", port},
                         {"schema", schema.version},
                         {"serve", roles.serve},
                         {"work", roles.work}});
    while (wait_for_signal() == 0) {
    }
    release_signals();
    log.info("stopping");
    application.stop();
    log.info("stopped");
    return 0;
}

}  // namespace buildplan::commands
