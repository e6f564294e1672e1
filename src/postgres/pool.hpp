// Pools: the connections of one shard to PostgreSQL, and the only way to run a statement there. A Pool works for a
// Principal, as the application's role, under row-level security; a SystemPool works across organizations, as another
// role, for a named purpose. Neither hands out a connection or takes SQL: only generated queries (statement.hpp).
//
// A one-statement request is one round trip: set_config('app.current_organization_id', …, true), the statement, Sync;
// PostgreSQL makes that one transaction of its own. Several are in flight on each shared connection. What is slow is
// kept from holding up others: a connection whose current statement is slow gets no more work, and a statement that
// runs into the shared lane's short timeout is run again on the heavy lane.
//
// When no connection is free a caller waits, bounded in time and number, then 503. A lost connection is made again with
// backoff; requests that were in flight on it throw OutcomeUnknown (they may have been done), others just wait.
// Everything here belongs to the loop's thread. Throws as error.hpp says.
#pragma once

#include <memory>
#include <string_view>

#include "core/actor.hpp"
#include "core/principal.hpp"
#include "postgres/detail/exchange.hpp"
#include "postgres/error.hpp"
#include "postgres/options.hpp"
#include "postgres/transaction.hpp"
#include "runtime/loop.hpp"
#include "runtime/offload.hpp"

namespace buildplan::postgres {

namespace detail {

class Engine;

// What both pools have in common.
class PoolBase {
public:
    PoolBase(PoolBase const&) = delete;
    PoolBase& operator=(PoolBase const&) = delete;

    // Lets nobody in any more, waits for what is in flight (transactions that are open included), closes the
    // connections.
    task<> close();
    // Whether there is a connection that works; for /ready.
    [[nodiscard]] bool healthy() const noexcept;
    // One round trip to the server. Throws when it fails.
    task<> ping();

protected:
    // Starts connecting at once. `offload` resolves names and sends cancel requests; it outlives the pool.
    PoolBase(Loop& loop, Offload& offload, Options options, bool system);
    ~PoolBase();  // closes at once; who still waits gets Unavailable

    // As one transaction, in one round trip.
    task<> execute(std::string_view scope, std::span<Request const> requests, Lane lane);

    template <RowQuery Q>
    task<std::vector<typename Q::Row>> all_in(std::string_view scope, Q const& query, Lane lane) {
        Rows<Q> rows;
        Request const request(query, rows);
        co_await execute(scope, {&request, 1}, lane);
        co_return std::move(rows.value);
    }
    template <RowQuery Q>
    task<std::optional<typename Q::Row>> one_in(std::string_view scope, Q const& query, Lane lane) {
        OneRow<Q> row;
        Request const request(query, row);
        co_await execute(scope, {&request, 1}, lane);
        co_return std::move(row.value);
    }
    template <RunQuery Q>
    task<std::uint64_t> run_in(std::string_view scope, Q const& query, Lane lane) {
        Count count;
        Request const request(query, count);
        co_await execute(scope, {&request, 1}, lane);
        co_return count.value;
    }
    template <Query... Qs>
        requires(sizeof...(Qs) > 0)
    task<std::tuple<Result<Qs>...>> pipeline_in(std::string_view scope, Lane lane, Qs const&... queries) {
        std::tuple<AnswerTo<Qs>...> answers;
        auto const requests =
            std::apply([&](auto&... answer) { return std::array{Request(queries, answer)...}; }, answers);
        co_await execute(scope, requests, lane);
        co_return std::apply([](auto&... answer) { return std::tuple<Result<Qs>...>(std::move(answer.value)...); },
                             answers);
    }
    [[nodiscard]] std::unique_ptr<OpenTransaction> open_transaction(std::string_view scope, std::string actor,
                                                                    Lane lane, Isolation isolation);

    std::shared_ptr<Engine> engine_;
};

}  // namespace detail

class Pool : public detail::PoolBase {
public:
    // `options.url` names the application's role. A role that could see past row-level security is refused.
    Pool(Loop& loop, Offload& offload, Options options) : PoolBase(loop, offload, std::move(options), false) {}

    // The one-statement requests. What a query borrows, and the principal, must live until the call is over.
    template <RowQuery Q>
    task<std::vector<typename Q::Row>> all(Principal const& principal, Q const& query, Lane lane = Lane::shared) {
        return all_in(principal.organization_text(), query, lane);
    }
    template <RowQuery Q>
    task<std::optional<typename Q::Row>> one(Principal const& principal, Q const& query, Lane lane = Lane::shared) {
        return one_in(principal.organization_text(), query, lane);
    }
    template <RunQuery Q>
    task<std::uint64_t> run(Principal const& principal, Q const& query, Lane lane = Lane::shared) {
        return run_in(principal.organization_text(), query, lane);
    }
    // Several statements as one transaction in one round trip.
    template <Query... Qs>
        requires(sizeof...(Qs) > 0)
    task<std::tuple<Result<Qs>...>> pipeline(Principal const& principal, Qs const&... queries) {
        return pipeline_in(principal.organization_text(), Lane::shared, queries...);
    }

    // What is recorded in the transaction is recorded as done by `actor`; without one, by the principal.
    [[nodiscard]] TenantTx begin(Principal const& principal, Lane lane = Lane::exclusive,
                                 Isolation isolation = Isolation::read_committed);
    [[nodiscard]] TenantTx begin(Principal const& principal, Actor const& actor, Lane lane = Lane::exclusive,
                                 Isolation isolation = Isolation::read_committed);
};

// `work` says what for, in snake_case ("authenticate"); a constant. It becomes the setting `app.system_work` of the
// transaction, and a label in the metrics.
class SystemPool : public detail::PoolBase {
public:
    SystemPool(Loop& loop, Offload& offload, Options options) : PoolBase(loop, offload, std::move(options), true) {}

    template <RowQuery Q>
    task<std::vector<typename Q::Row>> all(std::string_view work, Q const& query, Lane lane = Lane::shared) {
        return all_in(work, query, lane);
    }
    template <RowQuery Q>
    task<std::optional<typename Q::Row>> one(std::string_view work, Q const& query, Lane lane = Lane::shared) {
        return one_in(work, query, lane);
    }
    template <RunQuery Q>
    task<std::uint64_t> run(std::string_view work, Q const& query, Lane lane = Lane::shared) {
        return run_in(work, query, lane);
    }
    template <Query... Qs>
        requires(sizeof...(Qs) > 0)
    task<std::tuple<Result<Qs>...>> pipeline(std::string_view work, Qs const&... queries) {
        return pipeline_in(work, Lane::shared, queries...);
    }

    // What is recorded in the transaction is recorded as done by `actor`; without one, by the program for that work.
    [[nodiscard]] SystemTx begin(std::string_view work, Lane lane = Lane::exclusive,
                                 Isolation isolation = Isolation::read_committed);
    [[nodiscard]] SystemTx begin(std::string_view work, Actor const& actor, Lane lane = Lane::exclusive,
                                 Isolation isolation = Isolation::read_committed);
};

}  // namespace buildplan::postgres
