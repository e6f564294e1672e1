#include "postgres/pool.hpp"

#include "postgres/detail/engine.hpp"
#include "postgres/detail/open_transaction.hpp"
#include "postgres/detail/statements.hpp"

namespace buildplan::postgres {
namespace detail {

PoolBase::PoolBase(Loop& loop, Offload& offload, Options options, bool system)
    : engine_(std::make_shared<Engine>(loop, offload, std::move(options), system)) {
    engine_->start();
}

PoolBase::~PoolBase() { engine_->shut(); }

task<> PoolBase::close() { return engine_->close(); }

bool PoolBase::healthy() const noexcept { return engine_->healthy(); }

task<> PoolBase::ping() {
    auto const engine = engine_;
    Count count;
    Request request;
    request.statement = &statements::ping;
    request.answer = &count;
    Exchange exchange;
    exchange.requests = {&request, 1};
    co_await engine->perform(exchange);
}

task<> PoolBase::execute(std::string_view scope, std::span<Request const> requests, Lane lane) {
    auto const engine = engine_;  // it outlives the wait, whatever becomes of the pool
    Exchange exchange;
    exchange.scope = &engine->scope();
    exchange.scope_value = scope;
    exchange.requests = requests;
    exchange.lane = lane;
    co_await engine->perform(exchange);
}

std::unique_ptr<OpenTransaction> PoolBase::open_transaction(std::string_view scope, std::string actor, Lane lane,
                                                            Isolation isolation) {
    return std::make_unique<OpenTransaction>(engine_, scope, std::move(actor), lane, isolation);
}

}  // namespace detail

TenantTx Pool::begin(Principal const& principal, Lane lane, Isolation isolation) {
    return begin(principal, Actor::of(principal), lane, isolation);
}

TenantTx Pool::begin(Principal const& principal, Actor const& actor, Lane lane, Isolation isolation) {
    return TenantTx(open_transaction(principal.organization_text(), actor.text(), lane, isolation));
}

SystemTx SystemPool::begin(std::string_view work, Lane lane, Isolation isolation) {
    return begin(work, Actor{.name = std::string(work)}, lane, isolation);
}

SystemTx SystemPool::begin(std::string_view work, Actor const& actor, Lane lane, Isolation isolation) {
    return SystemTx(open_transaction(work, actor.text(), lane, isolation));
}

}  // namespace buildplan::postgres
