// Installation: everything that `up` runs: the private servers in the data folder, the schema, the first organization
// with its key, and the application on top of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "commands/application.hpp"
#include "commands/settings_option.hpp"
#include "local/data_folder.hpp"
#include "local/supervisor.hpp"

namespace buildplan::commands {

struct UpOptions {
    std::filesystem::path data = ".buildplan";
    std::optional<std::uint16_t> postgres_port;
    SettingsOption settings;
};

class Installation {
public:
    // Reads the settings, takes the port and the folder. Throws OperatorError.
    explicit Installation(UpOptions const& options);
    ~Installation();

    void start();           // until requests can be served
    void announce() const;  // tells the person at the terminal where everything is
    void stop();            // drains, then stops the servers in order

private:
    void open_first_organization();
    void report(local::Incident const& incident) const;

    std::chrono::steady_clock::time_point const began_ = std::chrono::steady_clock::now();
    UpOptions const options_;
    Settings settings_;
    std::vector<net::Listener> listeners_;
    std::string api_;
    local::DataFolder folder_;
    int log_file_ = -1;
    std::unique_ptr<LogSink> sink_;
    Log log_;
    local::Postgres postgres_;
    local::Redis queue_, cache_;
    local::Supervisor servers_;
    std::unique_ptr<Application> application_;
};

}  // namespace buildplan::commands
