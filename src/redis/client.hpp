// Client: commands to one Redis server or to a Redis Cluster; callers see no difference. One for each shard, used on
// its loop alone, with one connection (in a cluster one to each master). Whatever callers of one turn of the loop ask
// for leaves in one write, and replies are matched by order, so any number of callers share the connection.
//
// A client that is not connected refuses at once: nobody waits for a Redis that is gone. It reconnects by itself. A
// command that was on its way when the connection broke fails with Unavailable and is never sent again in silence,
// unless it is idempotent(). Cancelling a caller gives up its answer, nothing else.
//
// Throws Unavailable (Timeout), ReplyError, UnexpectedReply; see errors.hpp. Call close() before it goes: callers that
// still wait would be failed after it is gone.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "redis/command.hpp"
#include "redis/errors.hpp"
#include "redis/options.hpp"
#include "redis/script.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"

namespace buildplan::redis {

class Blocking;

class Client {
public:
    // Begins to connect at once. `loop` outlives it.
    static std::unique_ptr<Client> make(Loop& loop, Options options);

    Client() = default;
    Client(Client const&) = delete;
    Client& operator=(Client const&) = delete;
    virtual ~Client() = default;

    // One command, one reply. An error reply is thrown as ReplyError.
    virtual task<Value> command(Command command) = 0;
    // `client.command("GET", key)`
    template <class... Args>
    task<Value> command(std::string_view name, Args const&... args) {
        return command(Command(name, args...));
    }
    // `client.call(script, {key}, 5)`
    template <class... Args>
    task<Value> call(Script const& script, std::initializer_list<std::string_view> keys, Args const&... args) {
        return command(script.call(keys, args...));
    }

    // Several in one flight; replies in the order of the commands, error replies among them. In a cluster each goes to
    // the node of its key, so those of different slots may run in another order.
    virtual task<std::vector<Value>> pipeline(std::vector<Command> commands) = 0;

    // MULTI … EXEC around commands of one slot; gives the replies of EXEC. Throws ReplyError when Redis discards it.
    virtual task<std::vector<Value>> transaction(std::vector<Command> commands) = 0;

    // Fire and forget. False when it could not even be queued.
    virtual bool send(Command command) = 0;

    // Whether a command would be sent now rather than refused. In a cluster: whether any would.
    [[nodiscard]] virtual bool available() const noexcept = 0;
    // Waits until it is, at most so long; tells whether it is.
    virtual task<bool> connected(std::chrono::milliseconds patience) = 0;

    // A connection of its own, to the server of `key`, for commands that wait on the server (BZPOPMIN).
    [[nodiscard]] virtual std::unique_ptr<Blocking> blocking(std::string key) = 0;

    // Refuses new commands, waits for the replies of those on their way (each within its time), then disconnects.
    virtual task<> close() = 0;
};

// A connection for one blocking command at a time. Connects when first used and again after a loss.
class Blocking {
public:
    Blocking() = default;
    Blocking(Blocking const&) = delete;
    Blocking& operator=(Blocking const&) = delete;
    virtual ~Blocking() = default;

    // `command` may wait on the server for as long as `blocks`; nothing is heard for a second more: Timeout. When the
    // caller is cancelled the connection is dropped, so that the server stops waiting, too; what it had just taken out
    // for us is lost then, as with every Redis client.
    virtual task<Value> command(Command command, std::chrono::milliseconds blocks) = 0;
};

}  // namespace buildplan::redis
