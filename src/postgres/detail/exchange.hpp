// What travels between a transaction and its connection: which statements, where their answers go, and who waits. All
// of it lives in the frame of the waiting coroutine and is only borrowed by the connection. Knows nothing of libpq, so
// that the templates of pool.hpp and transaction.hpp can use it. Of interest to src/postgres alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "postgres/options.hpp"
#include "postgres/statement.hpp"
#include "runtime/completion.hpp"
#include "runtime/gate.hpp"

namespace buildplan::postgres {

namespace detail {

class Connection;

// Takes the answer to one statement. Decoding may throw; the caller then gets that exception.
class Answer {
public:
    virtual void clear() noexcept {}
    virtual void take(pg_result const* result, int rows, std::uint64_t affected) = 0;

protected:
    ~Answer() = default;
};

class Count final : public Answer {
public:
    void take(pg_result const*, int, std::uint64_t affected) override { value = affected; }
    std::uint64_t value = 0;
};

template <RowQuery Q>
class Rows final : public Answer {
public:
    void clear() noexcept override { value.clear(); }
    void take(pg_result const* result, int rows, std::uint64_t) override {
        value.reserve(static_cast<std::size_t>(rows));
        for (int row = 0; row < rows; ++row) value.push_back(Q::read(RowView(result, row)));
    }
    std::vector<typename Q::Row> value;
};

[[noreturn]] void more_than_one_row(std::string_view statement);

template <RowQuery Q>
class OneRow final : public Answer {
public:
    void clear() noexcept override { value.reset(); }
    void take(pg_result const* result, int rows, std::uint64_t) override {
        Statement const& statement = Q::statement;
        if (rows > 1) more_than_one_row(statement.name);
        if (rows == 1) value.emplace(Q::read(RowView(result, 0)));
    }
    std::optional<typename Q::Row> value;
};

template <Query Q>
struct AnswerOf;
template <RunQuery Q>
struct AnswerOf<Q> : std::type_identity<Count> {};
template <OneQuery Q>
struct AnswerOf<Q> : std::type_identity<OneRow<Q>> {};
template <ManyQuery Q>
struct AnswerOf<Q> : std::type_identity<Rows<Q>> {};

template <Query Q>
using AnswerTo = typename AnswerOf<Q>::type;

// One statement with its parameters, and the place for its answer.
struct Request {
    Request() = default;
    template <Query Q>
    Request(Q const& query_, Answer& answer_)
        : statement(&static_cast<Statement const&>(Q::statement)),
          query(&query_),
          answer(&answer_),
          bind([](void const* q, Parameters& parameters) { static_cast<Q const*>(q)->bind(parameters); }) {}

    Statement const* statement = nullptr;
    void const* query = nullptr;
    Answer* answer = nullptr;
    void (*bind)(void const*, Parameters&) = nullptr;
};

// What goes out in one round trip: [BEGIN] [scope] requests… Sync [end Sync]. With a scope and no BEGIN it is a
// transaction by itself, which PostgreSQL commits at the Sync. It is borrowed from submission to completion.
struct Exchange {
    enum class State : std::uint8_t { idle, queued, sent, finished };

    Statement const* begin = nullptr;   // a BEGIN
    Statement const* scope = nullptr;   // the set_config of whoever asks; its first parameter is
    std::string_view scope_value = {};  // this
    std::string_view actor = {};        // and where it is not empty, its second one this
    std::span<Request const> requests = {};
    Statement const* end = nullptr;  // a COMMIT or ROLLBACK, behind a Sync of its own
    Lane lane = Lane::shared;
    // Where the connection is put for the rest of a transaction; without it the connection serves others too.
    std::shared_ptr<Connection>* lease = nullptr;

    // The rest is the engine's.
    State state = State::idle;
    bool moved = false;                                // was slow on the shared lane, and is now on the heavy one
    bool repeated = false;                             // was sent again, because its first connection could not take it
    std::chrono::steady_clock::time_point since = {};  // when it was queued, then when it was sent
    Connection* connection = nullptr;
    std::exception_ptr error = {};
    std::string failure = {};  // the SQLSTATE, where the server gave one
    Completion<bool> done = {};
    Gate::Pass pass = {};

    [[nodiscard]] bool is_whole_transaction() const noexcept { return scope != nullptr && begin == nullptr; }
};

}  // namespace detail

// What a query answers with: the number of rows touched, an optional row, or a vector of rows.
template <Query Q>
using Result = decltype(detail::AnswerTo<Q>::value);

}  // namespace buildplan::postgres
