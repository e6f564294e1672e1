// Router: which link a command takes. Private to this folder. One server has one link; a cluster has one to each master
// and learns from its errors where slots have gone.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "redis/link.hpp"

namespace buildplan::redis {

class Router {
public:
    // What to do about an error reply.
    struct Turn {
        bool again = false;                      // it was not carried out; send it again
        bool later = false;                      // after a pause
        std::shared_ptr<Link> target = nullptr;  // there, rather than where route() says
        bool asking = false;                     // with ASKING before it
    };

    Router() = default;
    Router(Router const&) = delete;
    Router& operator=(Router const&) = delete;
    virtual ~Router() = default;

    // Nothing when nobody is known to serve it.
    [[nodiscard]] virtual std::shared_ptr<Link> route(Command const& command) = 0;
    [[nodiscard]] virtual Endpoint locate(std::string_view key) const = 0;
    virtual Turn redirect(Value const& error, Link const& from) = 0;
    // A connection was lost under a command.
    virtual void lost() {}
    // A command nobody waits for, errors and all.
    virtual bool send(Command command) = 0;

    [[nodiscard]] virtual bool available() const noexcept = 0;
    virtual task<bool> connected(Clock::time_point until) = 0;
    virtual task<> drain() = 0;
    virtual void stop() = 0;
};

std::shared_ptr<Router> route_to_one(std::shared_ptr<LinkContext> const& context);
std::shared_ptr<Router> route_in_cluster(std::shared_ptr<LinkContext> context);

// One command of a flight: sent until it has a reply that is not a redirection.
struct Job {
    Command const* command;
    std::shared_ptr<Link> target = nullptr;
    bool asking = false;
    bool open = true;
    Value reply{};
};

// Sends the open jobs, follows redirections, waits out what is moving, a bounded number of times and not past `until`.
// Leaves a reply in each, error replies too. Throws Unavailable. The jobs must outlive it.
task<> settle(std::shared_ptr<Router> router, std::span<Job> jobs, Clock::time_point until);

}  // namespace buildplan::redis
