// Transactions of several statements. TenantTx works for one organization and comes from Pool::begin alone; SystemTx
// works across organizations, as another database role, for a named purpose, and comes from SystemPool::begin alone.
// Neither can be made from, or turned into, the other.
//
// Lazy: nothing is sent and no connection is taken until the first statement, which goes out together with BEGIN and
// the setting that row-level security reads, in one round trip. Safe after everything: a transaction that was not
// committed is rolled back when it goes out of scope (without waiting), and its connection serves nobody else before
// the server has confirmed that; where it cannot, the connection is closed. A caller that is cancelled (task
// cancellation) gets operation_aborted at once and its running statement is cancelled in the server.
//
// One statement at a time. When a statement throws, the transaction is being rolled back already and its connection is
// gone: what else is asked for throws Error 25P02 without a round trip. Throws as error.hpp says: Error, Unavailable,
// OutcomeUnknown (commit and commit_with only), Timeout.
#pragma once

#include <memory>

#include "postgres/detail/exchange.hpp"
#include "postgres/error.hpp"
#include "runtime/task.hpp"

namespace buildplan::postgres {

class Pool;
class SystemPool;

enum class Isolation : std::uint8_t { read_committed, repeatable_read, serializable };

namespace detail {

class OpenTransaction;  // the transaction's state

// What both have in common. Private to them: a function takes the one or the other, and none takes either.
class Transaction {
public:
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) noexcept;
    ~Transaction();

    template <RowQuery Q>
    task<std::vector<typename Q::Row>> all(Q const& query) {
        Rows<Q> rows;
        Request const request(query, rows);
        co_await execute({&request, 1}, false);
        co_return std::move(rows.value);
    }
    // Throws std::logic_error for more than one row.
    template <RowQuery Q>
    task<std::optional<typename Q::Row>> one(Q const& query) {
        OneRow<Q> row;
        Request const request(query, row);
        co_await execute({&request, 1}, false);
        co_return std::move(row.value);
    }
    // The number of rows touched.
    template <RunQuery Q>
    task<std::uint64_t> run(Q const& query) {
        Count count;
        Request const request(query, count);
        co_await execute({&request, 1}, false);
        co_return count.value;
    }
    // Several statements in one round trip; the first that fails is thrown, and those behind it did not run.
    template <Query... Qs>
        requires(sizeof...(Qs) > 0)
    task<std::tuple<Result<Qs>...>> pipeline(Qs const&... queries) {
        std::tuple<AnswerTo<Qs>...> answers;
        auto const requests =
            std::apply([&](auto&... answer) { return std::array{Request(queries, answer)...}; }, answers);
        co_await execute(requests, false);
        co_return std::apply([](auto&... answer) { return std::tuple<Result<Qs>...>(std::move(answer.value)...); },
                             answers);
    }

    // Without a statement before it, nothing is sent.
    task<> commit();
    // A last statement and the commit in one round trip. When it is the only statement of the transaction, it goes out
    // as a one-statement transaction (on the writing lane, unless the transaction is heavy or asks for an isolation).
    template <Query Q>
    task<Result<Q>> commit_with(Q const& query) {
        AnswerTo<Q> answer;
        Request const request(query, answer);
        co_await execute({&request, 1}, true);
        co_return std::move(answer.value);
    }
    // Returns when the server has confirmed it (after an error it is under way by itself). Never throws for a
    // connection that is lost: that has the same effect.
    task<> rollback();

    // Begun, and neither committed nor rolled back nor failed.
    [[nodiscard]] bool open() const noexcept;

protected:
    explicit Transaction(std::unique_ptr<OpenTransaction> state) noexcept;

private:
    task<> execute(std::span<Request const> requests, bool commit);

    std::unique_ptr<OpenTransaction> state_;
};

}  // namespace detail

class TenantTx final : detail::Transaction {
public:
    using Transaction::all;
    using Transaction::commit;
    using Transaction::commit_with;
    using Transaction::one;
    using Transaction::open;
    using Transaction::pipeline;
    using Transaction::rollback;
    using Transaction::run;

private:
    friend class Pool;
    using Transaction::Transaction;
};

class SystemTx final : detail::Transaction {
public:
    using Transaction::all;
    using Transaction::commit;
    using Transaction::commit_with;
    using Transaction::one;
    using Transaction::open;
    using Transaction::pipeline;
    using Transaction::rollback;
    using Transaction::run;

private:
    friend class SystemPool;
    using Transaction::Transaction;
};

}  // namespace buildplan::postgres
