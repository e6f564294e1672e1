// CurlMulti: libcurl's multi interface on a loop. libcurl says which sockets and which timer it waits for, the loop
// says when they are due; libcurl resolves names on threads of its own and never blocks the loop. libcurl owns its
// sockets: the loop only watches them and lets go before they are closed.
#pragma once

#include <memory>
#include <unordered_map>

#include "runtime/task.hpp"

namespace buildplan::net {

// What a transfer is told; called from within libcurl, so it may only take note.
class CurlTransfer {
public:
    virtual void ended(int curl_code) noexcept = 0;

protected:
    ~CurlTransfer() = default;
};

class CurlMulti {
public:
    // Keeps up to `connections` open between requests.
    CurlMulti(Executor const& executor, std::size_t connections);
    ~CurlMulti();  // no handle is in it any more
    CurlMulti(CurlMulti const&) = delete;
    CurlMulti& operator=(CurlMulti const&) = delete;

    // `easy` is a CURL*. It is out of the multi when `transfer` is told of its end.
    void add(void* easy, CurlTransfer& transfer);
    // Ends it now, finished or not; the transfer is told nothing.
    void remove(void* easy) noexcept;

private:
    struct Watch;
    struct Tie;

    static int on_socket(void* easy, int socket, int what, void* self, void*) noexcept;
    static int on_timer(void* multi, long milliseconds, void* self) noexcept;
    void watch(int socket, int what);
    void wait(std::shared_ptr<Watch> const& watch, int what);
    void act(int socket, int events);

    Executor executor_;
    Timer timer_;
    std::shared_ptr<Tie> tie_;  // from what the loop still holds to this; empty when this is gone
    std::unordered_map<int, std::shared_ptr<Watch>> watches_;
    void* multi_;
};

}  // namespace buildplan::net
