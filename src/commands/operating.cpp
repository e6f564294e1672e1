#include "commands/operating.hpp"

#include <CLI/CLI.hpp>

#include <fmt/core.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "commands/options.hpp"
#include "core/operator_error.hpp"

namespace buildplan::commands {
namespace {

void read_endpoints(std::string const& data, Settings& settings) {
    auto const path = std::filesystem::path(data) / "run" / "endpoints.json";
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    boost::system::error_code wrong;
    auto const json = boost::json::parse(text.str(), wrong);
    if (!file || wrong) {
        throw OperatorError(fmt::format("{} cannot be read", path.native()),
                            "name the folder of a `buildplan up` that is running");
    }
    settings.postgres.system_url = json.at("postgres").at("system").as_string();
    settings.postgres.app_url = json.at("postgres").at("app").as_string();
    settings.redis.queue_url = json.at("redisQueue").as_string();
}

task<> run(Operated& operated, std::function<task<>(Operated&)> const& work) {
    std::exception_ptr failure;
    try {
        co_await operated.queue.connected(std::chrono::seconds{2});
        co_await work(operated);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await operated.queue.close();
    co_await operated.system.close();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

void InstallationOption::add_to(CLI::App& command) {
    settings.add_to(command);
    command.add_option("--data", data, "The data folder of a running `buildplan up`, instead of settings")
        ->type_name("DIR");
}

Settings InstallationOption::load() const {
    auto out = settings.load();
    if (!data.empty()) read_endpoints(data, out);
    if (out.postgres.system_url.empty() || out.redis.queue_url.empty()) {
        throw OperatorError("Not set: BUILDPLAN_POSTGRES_SYSTEM_URL, BUILDPLAN_REDIS_QUEUE_URL",
                            "give the command the settings that `work` has, or --data with the folder of `up`", 78);
    }
    return out;
}

void operate(Settings const& settings, std::function<task<>(Operated&)> const& work) {
    Loop loop(0, Log{});
    Offload offload(1, 8);
    postgres::SystemPool system(loop, offload, postgres_options(settings, settings.postgres.system_url));
    auto const queue = redis::Client::make(loop, redis_options(settings, settings.redis.queue_url, "queue"));
    Operated operated{loop, system, *queue};
    std::exception_ptr failure;
    asio::co_spawn(loop.io(), run(operated, work), [&](std::exception_ptr error) {
        failure = std::move(error);
        loop.stop();
    });
    loop.run();
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (Problem const& problem) {
        throw OperatorError(problem.detail, "look whether PostgreSQL can be reached");
    } catch (redis::Failure const& error) {
        throw OperatorError(error.what(), "look whether the queue's Redis can be reached");
    }
}

}  // namespace buildplan::commands
