#include "postgres/detail/open_transaction.hpp"

#include <stdexcept>

#include "postgres/detail/result.hpp"
#include "postgres/detail/statements.hpp"

namespace buildplan::postgres::detail {

OpenTransaction::OpenTransaction(std::shared_ptr<Engine> engine, std::string_view scope, Lane lane, Isolation isolation)
    : engine_(std::move(engine)),
      scope_(scope),
      lane_(lane == Lane::heavy ? Lane::heavy : Lane::exclusive),
      isolation_(isolation) {}

OpenTransaction::~OpenTransaction() { give_up_connection(); }

void OpenTransaction::give_up_connection() {
    if (auto connection = std::exchange(connection_, nullptr)) engine_->release(std::move(connection));
}

void OpenTransaction::expect_open() const {
    if (state_ == State::failed) throw failed_transaction();
    if (state_ == State::over) throw std::logic_error("the transaction is over");
}

task<> OpenTransaction::execute(std::span<Request const> requests, bool commit) {
    expect_open();
    Exchange exchange;
    exchange.requests = requests;
    if (state_ == State::fresh) {
        exchange.scope = &engine_->scope();
        exchange.scope_value = scope_;
        exchange.lane = lane_;
        if (commit && isolation_ == Isolation::read_committed) {
            if (lane_ == Lane::exclusive) exchange.lane = Lane::shared;
            state_ = State::over;
            co_await engine_->perform(exchange);
            co_return;
        }
        exchange.begin = &statements::begin_with(isolation_);
        exchange.lease = &connection_;
    }
    if (commit) exchange.end = &statements::commit;
    // Failed, until it turns out not to have: an exception or the end of this frame leaves it so.
    bool const first = state_ == State::fresh;
    state_ = State::failed;
    if (first) {
        co_await engine_->perform(exchange);
    } else {
        co_await engine_->perform_on(*connection_, exchange);
    }
    state_ = commit ? State::over : State::open;
    if (commit) give_up_connection();
}

task<> OpenTransaction::commit() {
    if (state_ == State::fresh) {
        state_ = State::over;
        co_return;
    }
    expect_open();
    Exchange exchange;
    exchange.end = &statements::commit;
    state_ = State::failed;
    co_await engine_->perform_on(*connection_, exchange);
    state_ = State::over;
    give_up_connection();
}

task<> OpenTransaction::rollback() {
    state_ = State::over;
    if (!connection_) co_return;
    if (!connection_->ready() || connection_->cancelling || connection_->clean()) {
        give_up_connection();
        co_return;
    }
    Exchange exchange;
    exchange.end = &statements::rollback;
    try {
        co_await engine_->perform_on(*connection_, exchange);
    } catch (Problem const&) {
        // A lost connection has rolled it back.
    }
    give_up_connection();
}

}  // namespace buildplan::postgres::detail
