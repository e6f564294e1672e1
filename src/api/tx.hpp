// Tx: the transaction of a writing handler and of the services that it calls. Everything that a postgres::TenantTx does
// for statements, but its end belongs to whoever began it: `commit_with` ends the transaction in the same round trip
// when nothing else has to be in it, and otherwise (an Idempotency-Key wants its answer kept) only runs the statement.
// So a write of one statement is one round trip, and a service need not know who calls it.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "postgres/transaction.hpp"

namespace buildplan::api {

class Tx {
public:
    // `held`: something is still to come after the handler.
    explicit Tx(postgres::TenantTx& tx, bool held = false) : tx_(tx), held_(held) {}
    Tx(Tx const&) = delete;
    Tx& operator=(Tx const&) = delete;

    template <postgres::RowQuery Q>
    task<std::vector<typename Q::Row>> all(Q const& query) {
        return tx_.all(query);
    }
    template <postgres::RowQuery Q>
    task<std::optional<typename Q::Row>> one(Q const& query) {
        return tx_.one(query);
    }
    template <postgres::RunQuery Q>
    task<std::uint64_t> run(Q const& query) {
        return tx_.run(query);
    }
    template <postgres::Query... Qs>
    task<std::tuple<postgres::Result<Qs>...>> pipeline(Qs const&... queries) {
        return tx_.pipeline(queries...);
    }
    // The last statement of the work.
    template <postgres::Query Q>
    task<postgres::Result<Q>> commit_with(Q const& query) {
        if (!held_) return tx_.commit_with(query);
        if constexpr (postgres::OneQuery<Q>) {
            return tx_.one(query);
        } else if constexpr (postgres::ManyQuery<Q>) {
            return tx_.all(query);
        } else {
            return tx_.run(query);
        }
    }

    // For what cannot be part of the transaction (telling other instances): runs when it is committed, before the
    // answer is sent, and never when it is not. `work` owns what it uses and does not throw.
    void after_commit(std::function<void()> work) { after_commit_.push_back(std::move(work)); }
    // For whoever ends the transaction.
    void committed() {
        for (auto const& work : std::exchange(after_commit_, {})) work();
    }

private:
    postgres::TenantTx& tx_;
    bool held_;
    std::vector<std::function<void()>> after_commit_;
};

}  // namespace buildplan::api
