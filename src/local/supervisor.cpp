#include "local/supervisor.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <csignal>
#include <future>
#include <ranges>
#include <thread>

namespace buildplan::local {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds first_pause = 100ms;
constexpr std::chrono::milliseconds longest_pause = 10s;
constexpr auto long_enough = 30s;  // after so long a death is news, not the same trouble

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace

class Supervisor::Watcher {
public:
    Watcher(Supervisor& supervisor, Server& server)
        : supervisor_(supervisor), server_(server), wake_(::eventfd(0, EFD_CLOEXEC)) {
        // Signals are for the main thread: this one is born with all of them blocked.
        sigset_t all;
        sigset_t before;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::jthread([this](std::stop_token const& stop) { run(stop); });
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    ~Watcher() { stop(); }
    Watcher(Watcher const&) = delete;
    Watcher& operator=(Watcher const&) = delete;

    void wait_until_started() { started_.get_future().get(); }

    void stop() {
        thread_.request_stop();
        ::eventfd_write(wake_.get(), 1);
        if (thread_.joinable()) thread_.join();
    }

private:
    void run(std::stop_token const& stop) {
        try {
            server_.start(stop);
        } catch (...) {
            started_.set_exception(std::current_exception());
            return;
        }
        started_at_ = Clock::now();
        started_.set_value();
        while (wait_for_death()) {
            auto const status = server_.ended_within(0ms);
            if (!status) continue;
            if (!bring_back(*status, stop)) return;
        }
        try {
            server_.stop();
        } catch (std::exception const& error) {
            supervisor_.report(
                {server_.name(), false, fmt::format("{} did not stop: {}", server_.name(), error.what())});
        }
    }

    // False when we are to stop.
    bool wait_for_death() {
        pollfd either[] = {{wake_.get(), POLLIN, 0}, {server_.pidfd(), POLLIN, 0}};
        while (::poll(either, 2, -1) < 0) {
        }
        return either[0].revents == 0;
    }

    // False when we are to stop, and the server is down.
    bool bring_back(ExitStatus status, std::stop_token const& stop) {
        auto const died = Clock::now();
        if (died - started_at_ > long_enough) pause_ = 0ms;
        for (;;) {
            if (!rest()) return false;
            try {
                server_.start(stop);
                started_at_ = Clock::now();
                supervisor_.report({server_.name(), true,
                                    fmt::format("{} died ({}); restarted in {:.1f} s", server_.name(),
                                                status.describe(), seconds_since(died))});
                return true;
            } catch (std::exception const& error) {
                if (stop.stop_requested()) return false;
                supervisor_.report(
                    {server_.name(), false,
                     fmt::format("{} died ({}) and did not come back; next attempt in {:.1f} s. {}", server_.name(),
                                 status.describe(), std::chrono::duration<double>(pause_).count(), error.what())});
            }
        }
    }

    // The pause before the next attempt; none before the first.
    bool rest() {
        pollfd wake{wake_.get(), POLLIN, 0};
        bool const stopped = ::poll(&wake, 1, static_cast<int>(pause_.count())) > 0;
        pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
        return !stopped;
    }

    Supervisor& supervisor_;
    Server& server_;
    Fd wake_;
    std::promise<void> started_;
    Clock::time_point started_at_;
    std::chrono::milliseconds pause_{0};
    std::jthread thread_;
};

Supervisor::Supervisor(std::vector<Server*> servers, Report report)
    : servers_(std::move(servers)), report_(std::move(report)) {}

Supervisor::~Supervisor() { stop(); }

void Supervisor::start() {
    for (auto* const server : servers_) watchers_.push_back(std::make_unique<Watcher>(*this, *server));
    std::exception_ptr first;
    for (auto const& watcher : watchers_) {
        try {
            watcher->wait_until_started();
        } catch (...) {
            if (!first) first = std::current_exception();
        }
        if (first) break;  // do not wait for a long recovery when it is of no use
    }
    if (!first) return;
    stop();
    std::rethrow_exception(first);
}

void Supervisor::stop() {
    for (auto const& watcher : watchers_ | std::views::reverse) watcher->stop();
    watchers_.clear();
}

void Supervisor::report(Incident const& incident) {
    std::lock_guard const one_at_a_time(reporting_);
    if (report_) report_(incident);
}

}  // namespace buildplan::local
