#include "local/server.hpp"

#include <fmt/core.h>

#include <array>

#include "core/text.hpp"
#include "local/files.hpp"

namespace buildplan::local {
namespace {

constexpr std::uint64_t largest_log = 16 << 20;
constexpr std::size_t log_tail = 64 << 10;
constexpr std::chrono::milliseconds between_looks{3};

// The line that says why a server gave up: the last one that is marked as such, else the last one.
std::string_view telling_line(std::string_view text) {
    constexpr std::array marks{"FATAL:", "PANIC:", "error:", "Fatal error", "# Can't", "Failed"};
    std::string_view last;
    std::string_view telling;
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        auto const line = trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty()) continue;
        last = line;
        for (std::string_view const mark : marks)
            if (auto const at = line.find(mark); at != line.npos) telling = line.substr(at);
    }
    return telling.empty() ? last : telling;
}

}  // namespace

std::optional<ExitStatus> Server::ended_within(std::chrono::milliseconds timeout) {
    return child_ ? child_->wait_for(timeout) : std::nullopt;
}

void Server::launch(ChildOptions const& options) {
    log_start_ = size_or_zero(log_);
    child_ = std::make_unique<ChildProcess>(options);
    pid_ = child_->pid();
}

void Server::forget() noexcept {
    pid_ = 0;
    child_.reset();
}

void Server::wait_a_moment(std::chrono::steady_clock::time_point until, std::stop_token const& cancel,
                           std::filesystem::path const& data) {
    if (auto const status = child_->wait_for(between_looks)) {
        forget();
        throw failure("did not start", *status, log_start_, data);
    }
    if (cancel.stop_requested()) {
        stop();
        throw OperatorError(fmt::format("{} was still starting", name_), "it was told to stop");
    }
    if (std::chrono::steady_clock::now() > until) {
        stop();
        throw OperatorError(fmt::format("{} was not ready in time", name_), "see " + log_.native());
    }
}

OperatorError Server::failure(std::string_view what, ExitStatus status, std::uint64_t log_start,
                              std::filesystem::path const& data) const {
    auto const text = read_from(log_, log_start, log_tail);
    if (text.contains("No space left on device") || text.contains("Disk quota exceeded")) return disk_full(data);
    auto const line = telling_line(text);
    auto const happened = line.empty() ? fmt::format("{} {} ({})", name_, what, status.describe())
                                       : fmt::format("{} {} ({}): {}", name_, what, status.describe(), line);
    if (text.contains("Address already in use")) return {happened, "stop what uses that port, or choose another one"};
    return {happened, "see " + log_.native()};
}

void Server::rotate_log() const {
    if (log_.empty() || size_or_zero(log_) <= largest_log) return;
    auto old = log_;
    old += ".1";
    std::error_code ignored;  // a log that stays is no reason not to start
    std::filesystem::rename(log_, old, ignored);
}

}  // namespace buildplan::local
