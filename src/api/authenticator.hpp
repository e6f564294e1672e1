// Authenticator: from a request to the Principal that makes it. features/identity has the one of the product; the
// pipeline knows no more about keys and tokens than this.
#pragma once

#include <memory>

#include "core/principal.hpp"
#include "net/request.hpp"
#include "runtime/task.hpp"

namespace buildplan::api {

struct Shard;

class Authenticator {
public:
    Authenticator() = default;
    Authenticator(Authenticator const&) = delete;
    Authenticator& operator=(Authenticator const&) = delete;
    virtual ~Authenticator() = default;

    // Nothing for whoever cannot say, or not prove, who they are. Throws Problem 503 when it cannot be found out.
    virtual task<std::shared_ptr<Principal const>> authenticate(Shard& shard, net::Request const& request) = 0;

    // What it does beside requests, from the first to the last of them.
    virtual void start() {}
    virtual task<> close() { co_return; }
    // Whatever it keeps of this session, user, key or organization is not true any more.
    virtual void forget(Uuid const&) {}
};

}  // namespace buildplan::api
