// Server: what PostgreSQL and Redis have in common as child processes. start() comes back once the server answers,
// and puts right what an earlier run left behind: a server that still runs on the data folder, lock files, a half-made
// folder. stop() is orderly and bounded. Both may be called again and again; they and the destructor belong to one
// thread at a time, and the server dies with the thread that called start() (see ChildProcess).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/operator_error.hpp"
#include "local/child_process.hpp"

namespace buildplan::local {

class Server {
public:
    virtual ~Server() = default;
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;

    // As an operator calls it: "PostgreSQL", "Redis (queue)".
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    // Throws OperatorError when it does not come up, also when `cancel` asks to give up.
    virtual void start(std::stop_token cancel = {}) = 0;
    virtual void stop() = 0;

    // Any thread may ask; 0 when it does not run.
    [[nodiscard]] pid_t pid() const noexcept { return pid_.load(std::memory_order_relaxed); }
    [[nodiscard]] int pidfd() const noexcept { return child_ ? child_->pidfd() : -1; }
    // How it ended, when it does so within `timeout`; start() brings it back.
    std::optional<ExitStatus> ended_within(std::chrono::milliseconds timeout);

protected:
    Server(std::string name, std::filesystem::path log) : name_(std::move(name)), log_(std::move(log)) {}

    void launch(ChildOptions const& options);
    void forget() noexcept;
    // Asks `is_ready` every few milliseconds; throws when the process ends first or `timeout` passes.
    template <class Ready>
    void wait_until(Ready is_ready, std::chrono::milliseconds timeout, std::stop_token const& cancel,
                    std::filesystem::path const& data) {
        for (auto const until = std::chrono::steady_clock::now() + timeout; !is_ready();)
            wait_a_moment(until, cancel, data);
    }
    // The error for a program of ours that ended when it should not have, told from what it wrote to its log.
    [[nodiscard]] OperatorError failure(std::string_view what, ExitStatus status, std::uint64_t log_start,
                                        std::filesystem::path const& data) const;
    [[nodiscard]] std::filesystem::path const& log() const noexcept { return log_; }
    [[nodiscard]] ChildProcess* child() const noexcept { return child_.get(); }
    // One old log is kept once the current one has grown too large; called between two runs.
    void rotate_log() const;

private:
    void wait_a_moment(std::chrono::steady_clock::time_point until, std::stop_token const& cancel,
                       std::filesystem::path const& data);

    std::string name_;
    std::filesystem::path log_;
    std::unique_ptr<ChildProcess> child_;
    std::uint64_t log_start_ = 0;
    std::atomic<pid_t> pid_ = 0;
};

}  // namespace buildplan::local
