// OpenTransaction: the state of one transaction, between its owner and the connection that it has taken.
#pragma once

#include <memory>
#include <string>

#include "postgres/detail/engine.hpp"
#include "postgres/transaction.hpp"

namespace buildplan::postgres::detail {

class OpenTransaction {
public:
    OpenTransaction(std::shared_ptr<Engine> engine, std::string_view scope, std::string actor, Lane lane,
                    Isolation isolation);
    ~OpenTransaction();
    OpenTransaction(OpenTransaction const&) = delete;
    OpenTransaction& operator=(OpenTransaction const&) = delete;

    task<> execute(std::span<Request const> requests, bool commit);
    task<> commit();
    task<> rollback();
    [[nodiscard]] bool open() const noexcept { return state_ == State::open; }

private:
    enum class State : std::uint8_t { fresh, open, failed, over };

    class Attempt;

    void expect_open() const;
    void give_up_connection();

    std::shared_ptr<Engine> engine_;
    std::string scope_;
    std::string actor_;
    Lane lane_;
    Isolation isolation_;
    State state_ = State::fresh;
    std::shared_ptr<Connection> connection_;
};

}  // namespace buildplan::postgres::detail
