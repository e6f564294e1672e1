// For tests: a Unix socket in front of a PostgreSQL server, on a thread of its own, that counts the round trips of its
// clients (what a client sends before it is answered is one), and can stop passing anything on, like a host that died.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

namespace buildplan::test_support {

class WireProxy {
public:
    WireProxy(std::filesystem::path folder, std::filesystem::path server_socket);
    ~WireProxy();
    WireProxy(WireProxy const&) = delete;
    WireProxy& operator=(WireProxy const&) = delete;

    [[nodiscard]] std::string url(std::string_view role, std::string_view database) const;
    [[nodiscard]] unsigned round_trips() const noexcept { return round_trips_; }
    void stall(bool stalled) noexcept { stalled_ = stalled; }
    [[nodiscard]] unsigned connections() const noexcept { return connections_; }

    // Passes on what a client sends next, and ends its connection instead of passing back the answer.
    void cut_next_answer() noexcept { cut_ = true; }

private:
    void serve();

    std::filesystem::path folder_;
    std::filesystem::path server_socket_;
    int listener_ = -1;
    std::atomic<unsigned> round_trips_ = 0;
    std::atomic<unsigned> connections_ = 0;
    std::atomic<bool> stalled_ = false;
    std::atomic<bool> cut_ = false;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace buildplan::test_support
