#include "postgres/detail/engine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "core/random.hpp"
#include "postgres/detail/statements.hpp"

namespace buildplan::postgres::detail {
namespace {

constexpr auto quick_tick = std::chrono::milliseconds{5};

std::uint32_t seed() {
    std::array<std::uint8_t, 4> bytes{};
    fill_random(bytes);
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

Options behind_pooler(Options options) {
    if (options.named_statements) return options;
    for (auto* const lane : {&options.shared, &options.exclusive, &options.heavy, &options.writing}) {
        lane->connections *= std::exchange(lane->depth, 1);
    }
    return options;
}

Statement const& scope_statement(bool system, bool named) noexcept {
    if (system) return named ? statements::system_scope : statements::system_scope_pooled;
    return named ? statements::tenant_scope : statements::tenant_scope_pooled;
}

Statement const& acting_statement(bool system, bool named) noexcept {
    if (system) return named ? statements::system_scope_acting : statements::system_scope_acting_pooled;
    return named ? statements::tenant_scope_acting : statements::tenant_scope_acting_pooled;
}

metrics::Counter& counter(Loop& loop, std::string_view name, std::string_view help, std::string_view pool) {
    return loop.metrics().counter(name, help, {{"pool", pool}});
}

std::exception_ptr aborted() {
    return std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
}

}  // namespace

Engine::Engine(Loop& loop, Offload& offload, Options options, bool system)
    : loop_(loop),
      offload_(offload),
      options_(behind_pooler(std::move(options))),
      system_(system),
      scope_(&scope_statement(system, options_.named_statements)),
      acting_(&acting_statement(system, options_.named_statements)),
      log_(loop.log().with({{"pool", system ? "system" : "app"}})),
      pool_name_(system ? "system" : "app"),
      lanes_{LaneState(Lane::shared, options_.shared, loop.metrics(), pool_name_),
             LaneState(Lane::exclusive, options_.exclusive, loop.metrics(), pool_name_),
             LaneState(Lane::heavy, options_.heavy, loop.metrics(), pool_name_),
             LaneState(Lane::writing, options_.writing, loop.metrics(), pool_name_)},
      conninfo_{Conninfo(options_, options_.shared), Conninfo(options_, options_.exclusive),
                Conninfo(options_, options_.heavy), Conninfo(options_, options_.writing)},
      timer_(loop.executor()),
      random_(seed()),
      connects_(counter(loop, "buildplan_postgres_connects_total", "Connections made to PostgreSQL.", pool_name_)),
      connect_failures_(counter(loop, "buildplan_postgres_connect_failures_total",
                                "Connections to PostgreSQL that could not be made.", pool_name_)),
      losses_(counter(loop, "buildplan_postgres_connections_lost_total", "Connections to PostgreSQL that broke.",
                      pool_name_)),
      moved_(counter(loop, "buildplan_postgres_slow_statements_total",
                     "Requests that were too slow for the shared lane and were run again on the heavy one.",
                     pool_name_)) {}

Engine::~Engine() { shut(); }

bool Engine::healthy() const noexcept {
    auto const& shared = lanes_[static_cast<std::size_t>(Lane::shared)];
    return !shut_ &&
           std::ranges::any_of(shared.connections, [](auto const& each) { return each->ready() && each->admitted; });
}

// --- in

task<bool> Engine::perform(Exchange& exchange) {
    return completed<bool>([this, &exchange](Completion<bool> done) {
        exchange.done = std::move(done);
        exchange.done.on_cancel([this, &exchange] { cancelled(exchange); });
        submit(exchange);
    });
}

task<bool> Engine::perform_on(Connection& connection, Exchange& exchange) {
    return completed<bool>([this, &connection, &exchange](Completion<bool> done) {
        exchange.done = std::move(done);
        exchange.done.on_cancel([this, &exchange] { cancelled(exchange); });
        if (connection.ready()) {
            dispatch(connection, exchange);
        } else {
            exchange.failure = "lost";
            exchange.error =
                std::make_exception_ptr(Unavailable("The connection to the database was lost; nothing was changed."));
            finish(exchange);
        }
    });
}

void Engine::submit(Exchange& exchange) {
    exchange.pass = gate_.enter();
    if (!exchange.pass || shut_) return refuse(exchange, "The server is about to stop.");
    if (system_ && exchange.scope != nullptr) count_work(exchange.scope_value);
    auto const now = Clock::now();
    if (exchange.lane == Lane::shared && is_slow(exchange, now)) {
        exchange.lane = Lane::heavy;
        exchange.moved = true;
    }
    enqueue(exchange, lane_of(exchange.lane), now);
}

void Engine::enqueue(Exchange& exchange, LaneState& lane, Clock::time_point now) {
    if (lane.waiting.empty()) {
        if (auto* const connection = lane.pick(now)) return dispatch(*connection, exchange);
    }
    // Nobody waits for a server that has been away for longer than anybody would wait.
    bool const down = down_since_ != Clock::time_point::max() && now - down_since_ > options_.wait;
    if (down) return refuse(exchange, "The database cannot be reached.");
    if (lane.waiting.size() >= options_.waiting) return refuse(exchange, "Too much is going on; try again shortly.");
    exchange.state = Exchange::State::queued;
    exchange.since = now;
    lane.waiting.push_back(&exchange);
    provide(now);
    arm(quick_tick);
}

void Engine::dispatch(Connection& connection, Exchange& exchange) {
    if (exchange.lease != nullptr) {
        connection.leased = true;
        connection.pass = std::move(exchange.pass);
        *exchange.lease = connection.shared_from_this();
    }
    try {
        connection.send(exchange);
    } catch (...) {
        exchange.error = std::current_exception();
        finish(exchange);
    }
}

void Engine::pump(LaneState& lane) {
    if (lane.waiting.empty()) return;
    auto const now = Clock::now();
    while (!lane.waiting.empty()) {
        auto* const connection = lane.pick(now);
        if (connection == nullptr) return;
        auto& exchange = *lane.waiting.front();
        lane.waiting.pop_front();
        lane.wait_seconds.observe(std::chrono::duration<double>(now - exchange.since).count());
        dispatch(*connection, exchange);
    }
}

// --- out

void Engine::finished(Connection& connection, Exchange& exchange) {
    if (&exchange == &connection.own) return admit(connection);
    lane_of(connection.lane()).answered(exchange, Clock::now());
    // Its prepared statements no longer fit the schema; or the server is not the primary any more.
    if (exchange.failure == sqlstate::stale_plan || exchange.failure == sqlstate::read_only_transaction) {
        connection.retiring = true;
    }
    if (exchange.error && run_again(connection, exchange)) return;
    finish(exchange);
}

// What PostgreSQL gave up has done nothing, so a whole transaction may be run once more, unseen by its caller.
bool Engine::run_again(Connection& connection, Exchange& exchange) {
    if (!exchange.is_whole_transaction() || shut_) return false;
    auto const now = Clock::now();
    if (exchange.failure == sqlstate::query_canceled && connection.lane() == Lane::shared) {
        // Soon after it began: a cancel request meant for the one before it, see below.
        bool const hit_by_accident = !exchange.repeated && !is_slow(exchange, now) &&
                                     connection.turn(now) < lane_of(Lane::shared).options.statement_timeout / 2;
        if (hit_by_accident) {
            exchange.repeated = true;
        } else {
            slow_.add(exchange.requests.front().statement->name, exchange.scope_value, now);
            exchange.lane = Lane::heavy;
            exchange.moved = true;
            moved_.add();
        }
    } else if (exchange.failure == sqlstate::stale_plan && !exchange.repeated) {
        exchange.repeated = true;
    } else {
        return false;
    }
    for (auto const& request : exchange.requests) request.answer->clear();
    exchange.error = nullptr;
    exchange.failure.clear();
    enqueue(exchange, lane_of(exchange.lane), now);
    return true;
}

bool Engine::is_slow(Exchange const& exchange, Clock::time_point now) const {
    return exchange.is_whole_transaction() &&
           slow_.contains(exchange.requests.front().statement->name, exchange.scope_value, now);
}

void Engine::progressed(Connection& connection) {
    if (connection.retiring && connection.quiet() && !connection.leased) discard(connection);
    // Several slow ones may have been sent before the first turned out to be slow: the rest need not run into the
    // timeout one after another, while others wait behind them. Should the cancel request come too late and hit one
    // of those others, it is run again.
    auto const* const next = connection.front();
    if (connection.lane() == Lane::shared && next != nullptr && is_slow(*next, Clock::now()))
        cancel_in_server(connection);
    pump(lane_of(connection.lane()));
    settle();
}

void Engine::refuse(Exchange& exchange, std::string detail) {
    exchange.failure = "unavailable";
    exchange.error = std::make_exception_ptr(Unavailable(std::move(detail)));
    finish(exchange);
}

void Engine::finish(Exchange& exchange) {
    exchange.state = Exchange::State::finished;
    finished_.push_back(&exchange);
    if (settling_ || settle_posted_) return;
    settle_posted_ = true;
    loop_.post([weak = weak_from_this()] {
        if (auto const self = weak.lock()) {
            self->settle_posted_ = false;
            self->settle();
        }
    });
}

void Engine::settle() {
    if (settling_) return;
    auto const alive = shared_from_this();  // a caller may be the last to hold the pool
    settling_ = true;
    while (!finished_.empty()) {
        // Callers that are resumed may add to the list.
        for (auto* const exchange : std::exchange(finished_, {})) complete(*exchange);
    }
    settling_ = false;
}

void Engine::complete(Exchange& exchange) {
    if (exchange.error) count_error(exchange.failure);
    auto const pass = std::move(exchange.pass);
    auto done = std::move(exchange.done);
    if (exchange.error) {
        done.fail(std::move(exchange.error));
    } else {
        done(true);
    }
}

void Engine::cancelled(Exchange& exchange) {
    switch (exchange.state) {
        case Exchange::State::queued:
            std::erase(lane_of(exchange.lane).waiting, &exchange);
            break;
        case Exchange::State::sent: {
            auto& connection = *exchange.connection;
            connection.abandon(exchange);
            // On a shared connection the cancel could hit a neighbour's statement: the answer is just dropped.
            if (connection.lane() != Lane::shared) cancel_in_server(connection);
            break;
        }
        default:
            return;  // about to be completed anyway
    }
    exchange.state = Exchange::State::finished;
    exchange.failure = "cancelled";
    exchange.error = aborted();
    complete(exchange);
}

void Engine::count_error(std::string_view failure) {
    auto const what = [&]() -> std::string_view {
        // Literals, for they are kept as keys.
        for (std::string_view const name : {"lost", "unavailable", "cancelled"}) {
            if (failure == name) return name;
        }
        if (failure == sqlstate::serialization_failure || failure == sqlstate::deadlock_detected) return "conflict";
        if (failure == sqlstate::query_canceled || failure == sqlstate::lock_not_available) return "timeout";
        if (failure.starts_with("23")) return "constraint";
        return "other";
    }();
    auto& metric = errors_[what];
    if (metric == nullptr) {
        metric = &loop_.metrics().counter("buildplan_postgres_errors_total", "Requests to PostgreSQL that failed.",
                                          {{"pool", pool_name_}, {"class", what}});
    }
    metric->add();
}

void Engine::count_work(std::string_view work) {
    constexpr std::size_t most = 64;  // the names are constants, so this is a bound on our own mistakes
    auto found = works_.find(work);
    if (found == works_.end()) {
        if (works_.size() >= most) work = "other";
        auto& metric =
            loop_.metrics().counter("buildplan_postgres_system_work_total",
                                    "Transactions across organizations, by their purpose.", {{"work", work}});
        found = works_.try_emplace(std::string(work), &metric).first;
    }
    found->second->add();
}

// --- stopping

task<> Engine::close() {
    auto const self = shared_from_this();
    co_await gate_.close();
    co_await asio::post(loop_.executor(), use_task);  // the last to leave is still on its way out
    shut();
}

void Engine::shut() {
    if (std::exchange(shut_, true)) return;
    timer_.cancel();
    std::vector<Exchange*> left = std::exchange(finished_, {});
    for (auto& lane : lanes_) {
        left.insert(left.end(), lane.waiting.begin(), lane.waiting.end());
        lane.waiting.clear();
        for (auto const& connection : std::exchange(lane.connections, {})) {
            for (auto* const exchange : connection->close()) {
                if (exchange != &connection->own) left.push_back(exchange);
            }
            connection->pass = {};
        }
    }
    for (auto* const exchange : left) {
        exchange->state = Exchange::State::finished;
        exchange->pass = {};
        auto error =
            exchange->error ? exchange->error : std::make_exception_ptr(Unavailable("The server is about to stop."));
        loop_.post(
            [done = std::move(exchange->done), error = std::move(error)]() mutable { done.fail(std::move(error)); });
    }
}

}  // namespace buildplan::postgres::detail
