// How the engine gets the connection of a transaction back: clean, or not at all.
#include <boost/asio/co_spawn.hpp>

#include "postgres/detail/engine.hpp"
#include "postgres/detail/statements.hpp"

namespace buildplan::postgres::detail {

void Engine::release(std::shared_ptr<Connection> const& connection) {
    if (!connection->ready()) {
        connection->pass = {};
    } else if (connection->cancelling) {
        connection->releasing = true;  // until the cancel request has arrived: it must not hit what comes next
    } else if (connection->clean()) {
        give_back(*connection);
    } else {
        connection->releasing = true;
        connection->own = Exchange{.end = &statements::rollback};
        connection->send(connection->own);
    }
}

void Engine::give_back(Connection& connection) {
    auto const alive = connection.shared_from_this();
    connection.leased = false;
    connection.releasing = false;
    auto const pass = std::move(connection.pass);
    if (connection.retiring) return discard(connection);
    pump(lane_of(connection.lane()));
}

void Engine::cancel_in_server(Connection& connection) {
    if (connection.cancelling || !connection.ready()) return;
    connection.cancelling = true;
    loop_.spawn("cancel a statement", send_cancel(shared_from_this(), connection.shared_from_this()));
}

task<> Engine::send_cancel(std::shared_ptr<Engine> self, std::shared_ptr<Connection> connection) {
    auto handle = connection->cancel_handle();
    bool sent = false;
    if (handle) {
        auto const work = [request = std::shared_ptr<pg_cancel>(std::move(handle))] {
            return send_cancel_request(request.get());
        };
        try {
            sent = co_await self->offload_.run(work);
        } catch (Problem const&) {
            sent = false;  // too much to do for courtesies: the connection goes instead
        }
    }
    connection->cancelling = false;
    if (!sent && !connection->quiet() && connection->lane() != Lane::shared)
        connection->lose("a statement could not be cancelled");
    if (connection->releasing) {
        connection->releasing = false;
        self->release(connection);
    } else if (connection->ready()) {
        self->progressed(*connection);
    }
}

}  // namespace buildplan::postgres::detail
