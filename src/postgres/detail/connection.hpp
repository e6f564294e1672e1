// One connection to PostgreSQL in pipeline mode, on a loop. It connects without blocking, writes exchanges one behind
// the other, reads their answers in the same order, and prepares a statement right before its first use on this
// connection, in the same round trip. It never calls its owner from within send(), close() or abandon().
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "postgres/detail/conninfo.hpp"
#include "postgres/detail/exchange.hpp"
#include "postgres/detail/prepared.hpp"
#include "runtime/loop.hpp"

extern "C" {
struct pg_conn;
struct pg_cancel;
}

namespace buildplan::postgres::detail {

struct FreeResult {
    void operator()(pg_result* result) const noexcept;
};
using ResultPointer = std::unique_ptr<pg_result, FreeResult>;
struct FreeCancel {
    void operator()(pg_cancel* cancel) const noexcept;
};
using CancelPointer = std::unique_ptr<pg_cancel, FreeCancel>;

// Asks the server to cancel what runs there. Blocks, so another thread than a loop's calls it.
bool send_cancel_request(pg_cancel* cancel) noexcept;

using Clock = std::chrono::steady_clock;

class Connection final : public std::enable_shared_from_this<Connection> {
public:
    // Told of what happens, from the loop, never from inside a call of its own.
    class Owner {
    public:
        virtual void connected(Connection& connection) = 0;
        virtual void finished(Connection& connection, Exchange& exchange) = 0;
        // After each batch of answers: there may be room for more.
        virtual void progressed(Connection& connection) = 0;
        // Broken, or not made at all. What was in flight has been reported as finished. Told once.
        virtual void lost(Connection& connection, std::string const& reason) = 0;

    protected:
        ~Owner() = default;
    };
    struct Settings {
        Lane lane;
        bool named_statements;
        std::vector<std::string> scope_extras;  // further parameters of the scope statement
    };

    Connection(Loop& loop, Owner& owner, Settings settings);
    ~Connection();
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;

    void connect(Conninfo const& conninfo);
    // Only when ready. Throws what the binding of a parameter throws; nothing was sent then.
    void send(Exchange& exchange);
    // Its caller is gone: the answer is dropped when it comes.
    void abandon(Exchange const& exchange) noexcept;
    // Fails what is in flight and closes at once; the owner hears of it soon.
    void lose(std::string reason);
    // Closes at once and tells nobody. Gives back what was in flight, each with its error.
    std::vector<Exchange*> close();

    // For send_cancel_request; null when there is no connection.
    [[nodiscard]] CancelPointer cancel_handle() const;

    [[nodiscard]] Lane lane() const noexcept { return settings_.lane; }
    [[nodiscard]] bool ready() const noexcept { return state_ == State::ready; }
    [[nodiscard]] bool broken() const noexcept { return state_ == State::lost; }
    [[nodiscard]] unsigned in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] bool quiet() const noexcept { return steps_.empty(); }
    // Nothing in flight and no transaction open, as far as the server has told us.
    [[nodiscard]] bool clean() const noexcept;
    // How long the server has been at what it is at now; nothing when it is at nothing.
    [[nodiscard]] Clock::duration busy_for(Clock::time_point now) const noexcept {
        return quiet() ? Clock::duration{0} : now - head_since_;
    }
    // How long the server has been at the exchange whose turn it is, or was at the one that it has just answered.
    [[nodiscard]] Clock::duration turn(Clock::time_point now) const noexcept { return now - turn_since_; }
    // Whose answer comes next; nothing when nobody's does.
    [[nodiscard]] Exchange const* front() const noexcept { return quiet() ? nullptr : steps_.front().exchange; }
    // When it last got or finished work; when it was made, before that.
    [[nodiscard]] Clock::time_point made() const noexcept { return made_; }
    [[nodiscard]] Clock::time_point last_used() const noexcept { return head_since_; }

    // The engine's notes about it.
    bool admitted = false;    // connected, and its role is as it should be
    bool leased = false;      // belongs to a transaction, or is not admitted yet
    bool releasing = false;   // its transaction's owner has left, the rest is ours
    bool cancelling = false;  // a cancel request is on its way to the server
    bool retiring = false;    // takes nothing new, is closed when it is free
    Gate::Pass pass;          // of the transaction that it belongs to
    Exchange own = {};        // what the engine itself asks: the check of the role, later a ROLLBACK
    Request own_request = {};
    Count answer = {};  // to that

private:
    enum class State : std::uint8_t { connecting, ready, lost };
    using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

    // One answer that the server owes us.
    struct Step {
        enum class Kind : std::uint8_t { prepare, command, sync };
        Kind kind;
        bool last = false;             // of its exchange
        Exchange* exchange = nullptr;  // none when abandoned
        Answer* answer = nullptr;
        Statement const* statement = nullptr;
    };

    void poll();
    void await_connect(Descriptor::wait_type type);
    void await_read();
    void flush();
    void read();
    void drain();
    void take(ResultPointer result);
    void take_command(Step const& step, pg_result* result);
    void refuse(Exchange* exchange, Statement const* statement, pg_result const* result);
    std::vector<Exchange*> take_unanswered();
    void report();
    void shut() noexcept;

    void prepare_for(Exchange const& exchange);
    bool prepare(Statement const* statement);
    void put_command(Statement const& statement, Parameters& parameters, Exchange* exchange, Answer* answer);
    void put_sync(Exchange* exchange, bool last);

    Loop& loop_;
    Owner* owner_;  // none once closed
    Settings settings_;
    pg_conn* pg_ = nullptr;
    Descriptor descriptor_;
    State state_ = State::connecting;
    bool awaiting_write_ = false;
    bool write_failed_ = false;
    unsigned in_flight_ = 0;
    std::string reason_;  // why it was lost
    std::deque<Step> steps_;
    Clock::time_point const made_ = Clock::now();
    Clock::time_point head_since_ = made_;  // of the step that comes next
    Clock::time_point turn_since_ = made_;  // of its exchange
    PreparedStatements prepared_;
    Parameters no_parameters_;
    Parameters scope_parameters_;
    std::vector<Parameters> parameters_;  // of each statement of the exchange that is being sent
};

}  // namespace buildplan::postgres::detail
