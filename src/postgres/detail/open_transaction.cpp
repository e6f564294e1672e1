#include "postgres/detail/open_transaction.hpp"

#include <stdexcept>

#include "postgres/detail/result.hpp"
#include "postgres/detail/statements.hpp"

namespace buildplan::postgres::detail {

OpenTransaction::OpenTransaction(std::shared_ptr<Engine> engine, std::string_view scope, std::string actor, Lane lane,
                                 Isolation isolation)
    : engine_(std::move(engine)),
      scope_(scope),
      actor_(std::move(actor)),
      lane_(lane == Lane::heavy ? Lane::heavy : Lane::exclusive),
      isolation_(isolation) {}

OpenTransaction::~OpenTransaction() { give_up_connection(); }

void OpenTransaction::give_up_connection() {
    if (auto connection = std::exchange(connection_, nullptr)) engine_->release(connection);
}

void OpenTransaction::expect_open() const {
    if (state_ == State::failed) throw failed_transaction();
    if (state_ == State::over) throw std::logic_error("the transaction is over");
}

// Failed, until it turns out not to have: an exception, or the end of a frame that waits, leaves the transaction so,
// and its connection goes back at once.
class OpenTransaction::Attempt {
public:
    explicit Attempt(OpenTransaction& transaction) : transaction_(transaction) { transaction.state_ = State::failed; }
    ~Attempt() {
        if (transaction_.state_ != State::open) transaction_.give_up_connection();
    }
    Attempt(Attempt const&) = delete;
    Attempt& operator=(Attempt const&) = delete;
    void succeeded(State state) noexcept { transaction_.state_ = state; }

private:
    OpenTransaction& transaction_;
};

task<> OpenTransaction::execute(std::span<Request const> requests, bool commit) {
    expect_open();
    Exchange exchange;
    exchange.requests = requests;
    bool const first = state_ == State::fresh;
    Attempt attempt(*this);
    if (first) {
        exchange.scope = &engine_->scope(!actor_.empty());
        exchange.scope_value = scope_;
        exchange.actor = actor_;
        exchange.lane = lane_;
        if (commit && isolation_ == Isolation::read_committed) {
            if (lane_ == Lane::exclusive) exchange.lane = Lane::writing;
        } else {
            exchange.begin = &statements::begin_with(isolation_);
            exchange.lease = &connection_;
        }
    }
    if (commit && !exchange.is_whole_transaction()) exchange.end = &statements::commit;
    if (first) {
        co_await engine_->perform(exchange);
    } else {
        co_await engine_->perform_on(*connection_, exchange);
    }
    attempt.succeeded(commit ? State::over : State::open);
}

task<> OpenTransaction::commit() {
    if (state_ == State::fresh) {
        state_ = State::over;
        co_return;
    }
    expect_open();
    Exchange exchange;
    exchange.end = &statements::commit;
    Attempt attempt(*this);
    co_await engine_->perform_on(*connection_, exchange);
    attempt.succeeded(State::over);
}

task<> OpenTransaction::rollback() {
    state_ = State::over;
    if (!connection_) co_return;
    Exchange exchange;
    exchange.end = &statements::rollback;
    Attempt attempt(*this);
    try {
        co_await engine_->perform_on(*connection_, exchange);
    } catch (Problem const&) {  // NOLINT(bugprone-empty-catch): a lost connection has rolled it back
    }
    attempt.succeeded(State::over);
}

}  // namespace buildplan::postgres::detail
