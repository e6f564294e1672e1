// Supervisor: starts servers side by side, notices at once when one dies, starts that one again, and stops all of them
// in the reverse order of the list. Each server has a thread of its own that starts, watches and stops it (its death
// signal hangs on the thread that started it), so that a long recovery of one does not keep another from coming back. A
// server that dies again and again is started with growing pauses, up to 10 s, and never given up. start() throws the
// OperatorError of the first server that does not come up, after stopping the others.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "local/server.hpp"

namespace buildplan::local {

struct Incident {
    std::string_view server;
    bool restarted = false;
    std::string line;  // "PostgreSQL died (signal 9); restarted in 0.3 s"
};

class Supervisor {
public:
    // Called from threads of the supervisor, one call at a time.
    using Report = std::function<void(Incident const&)>;

    // The servers outlive it, and are only its own between start() and stop().
    Supervisor(std::vector<Server*> servers, Report report);
    ~Supervisor();  // stops
    Supervisor(Supervisor const&) = delete;
    Supervisor& operator=(Supervisor const&) = delete;

    void start();
    void stop();

private:
    class Watcher;
    void report(Incident const& incident);

    std::vector<Server*> servers_;
    std::mutex reporting_;
    Report report_;
    std::vector<std::unique_ptr<Watcher>> watchers_;
};

}  // namespace buildplan::local
