// Application: a process that serves the API, works in the background, or both: its shards, each with pools, clients,
// pipeline and server of its own, and the order in which they start and stop. The only place where all floors meet.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/shard.hpp"
#include "core/settings.hpp"
#include "net/listener.hpp"
#include "queue/jobs/catalog.hpp"
#include "runtime/shards.hpp"

namespace buildplan::commands {

struct Roles {
    bool serve = true;  // the API; without it only /health, /ready and /metrics
    bool work = true;   // what is done in the background
};

class Application {
public:
    // `listeners`: one for each shard, opened beforehand so that a busy port is found before anything else is done.
    // Throws OperatorError for settings that do not go together.
    Application(Settings settings, Roles roles, std::vector<net::Listener> listeners, Log log);
    ~Application();  // stops without drain what still runs

    // Connects, and takes requests. Returns when every shard can.
    void start();
    // Says 503 on /ready, takes no more connections, lets what is in flight finish within the grace, ends all.
    void stop();

    // From now on tells the letters that people would get by mail; links begin with `site`.
    void print_letters(std::string site, std::function<void(std::string const&)> print);

    // Runs a task on the first shard and waits for it; rethrows what it throws.
    void run(std::function<task<>(api::Shard&)> const& work);

    // How many shards these settings mean.
    static unsigned shard_count(Settings const& settings) noexcept;

private:
    struct Unit;

    Settings const settings_;
    Roles const roles_;
    Log log_;
    queue::jobs::Catalog const jobs_;
    std::string const process_ = Uuid::v7().to_string();
    api::Constants constants_;
    Offload offload_;
    Shards shards_;
    std::vector<std::unique_ptr<Unit>> units_;  // by shard; made and unmade on its thread
    std::vector<net::Listener> listeners_;
    bool running_ = false;
};

}  // namespace buildplan::commands
