#include "postgres/detail/connection.hpp"

#include <boost/asio/post.hpp>
#include <charconv>

#include "postgres/detail/result.hpp"
#include "postgres/detail/statements.hpp"

namespace buildplan::postgres::detail {
namespace {

// More than any exchange of ours asks for; a caller with more statements than this has lost count.
constexpr std::size_t max_statements = 256;

// Names and texts of statements are literals, see statement.hpp.
char const* c_string(std::string_view literal) noexcept {
    return literal.data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
}

std::uint64_t rows_touched(PGresult* result) noexcept {
    std::string_view const text = PQcmdTuples(result);
    std::uint64_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

}  // namespace

void FreeResult::operator()(pg_result* result) const noexcept { PQclear(result); }
void FreeCancel::operator()(pg_cancel* cancel) const noexcept { PQfreeCancel(cancel); }

bool send_cancel_request(pg_cancel* cancel) noexcept {
    std::array<char, 256> complaint{};
    return PQcancel(cancel, complaint.data(), static_cast<int>(complaint.size())) == 1;
}

Connection::Connection(Loop& loop, Owner& owner, Settings settings)
    : loop_(loop), owner_(&owner), settings_(std::move(settings)), descriptor_(loop.executor()) {}

Connection::~Connection() { shut(); }

void Connection::shut() noexcept {
    if (descriptor_.is_open()) descriptor_.release();
    if (auto* const pg = std::exchange(pg_, nullptr)) PQfinish(pg);
}

// --- connecting

void Connection::connect(Conninfo const& conninfo) {
    auto const arrays = conninfo.arrays();
    pg_ = PQconnectStartParams(arrays.keywords.data(), arrays.values.data(), 0);
    if (pg_ == nullptr || PQstatus(pg_) == CONNECTION_BAD)
        return lose(pg_ != nullptr ? PQerrorMessage(pg_) : "no memory");
    PQsetNoticeProcessor(pg_, [](void*, char const*) {}, nullptr);
    await_connect(Descriptor::wait_write);
}

void Connection::poll() {
    // libpq may go on with another socket, of the same number even.
    descriptor_.release();
    switch (PQconnectPoll(pg_)) {
        case PGRES_POLLING_READING:
            return await_connect(Descriptor::wait_read);
        case PGRES_POLLING_WRITING:
            return await_connect(Descriptor::wait_write);
        case PGRES_POLLING_OK:
            break;
        default:
            return lose(PQerrorMessage(pg_));
    }
    if (PQsetnonblocking(pg_, 1) != 0 || PQenterPipelineMode(pg_) != 1) return lose(PQerrorMessage(pg_));
    descriptor_.assign(PQsocket(pg_));
    state_ = State::ready;
    head_since_ = Clock::now();
    await_read();
    owner_->connected(*this);
}

void Connection::await_connect(Descriptor::wait_type type) {
    descriptor_.assign(PQsocket(pg_));
    descriptor_.async_wait(type, [self = shared_from_this()](boost::system::error_code error) {
        if (!error && self->state_ == State::connecting) self->poll();
    });
}

// --- writing

void Connection::send(Exchange& exchange) {
    if (exchange.requests.size() > max_statements) throw std::length_error("too many statements in one pipeline");
    if (parameters_.size() < exchange.requests.size()) parameters_.resize(exchange.requests.size());
    for (std::size_t i = 0; i < exchange.requests.size(); ++i) {
        parameters_[i].clear();
        if (exchange.requests[i].bind != nullptr) exchange.requests[i].bind(exchange.requests[i].query, parameters_[i]);
    }

    auto const now = Clock::now();
    if (quiet()) head_since_ = turn_since_ = now;
    exchange.state = Exchange::State::sent;
    exchange.since = now;
    exchange.connection = this;
    ++in_flight_;
    if (settings_.named_statements) prepare_for(exchange);
    if (exchange.begin != nullptr) put_command(*exchange.begin, no_parameters_, &exchange, nullptr);
    if (exchange.scope != nullptr) {
        Parameters& scope = scope_parameters_;
        scope.clear();
        scope.add(exchange.scope_value);
        if (!exchange.actor.empty()) scope.add(exchange.actor);
        for (auto const& extra : settings_.scope_extras) scope.add(std::string_view(extra));
        put_command(*exchange.scope, scope, &exchange, nullptr);
    }
    for (std::size_t i = 0; i < exchange.requests.size(); ++i) {
        auto const& request = exchange.requests[i];
        put_command(*request.statement, parameters_[i], &exchange, request.answer);
    }
    bool const end_alone = exchange.requests.empty() && exchange.begin == nullptr && exchange.scope == nullptr;
    if (!end_alone) put_sync(&exchange, exchange.end == nullptr);
    if (exchange.end != nullptr) {
        put_command(*exchange.end, no_parameters_, &exchange, nullptr);
        put_sync(&exchange, true);
    }
    flush();
}

void Connection::prepare_for(Exchange const& exchange) {
    // Behind a Sync of their own: a statement that cannot be prepared fails its users, and nobody else.
    bool any = prepare(exchange.begin);
    any |= prepare(exchange.scope);
    any |= prepare(exchange.end);
    for (auto const& request : exchange.requests) any |= prepare(request.statement);
    if (any) put_sync(nullptr, false);
}

bool Connection::prepare(Statement const* statement) {
    if (statement == nullptr || !prepared_.wanted(statement->name)) return false;
    auto const types = statement->parameter_types;
    write_failed_ |= PQsendPrepare(pg_, c_string(statement->name), c_string(statement->sql),
                                   static_cast<int>(types.size()), types.data()) != 1;
    steps_.push_back({.kind = Step::Kind::prepare, .statement = statement});
    return true;
}

void Connection::put_command(Statement const& statement, Parameters& parameters, Exchange* exchange, Answer* taker) {
    constexpr int binary = 1;
    auto const* const values = parameters.values();
    int const sent =
        settings_.named_statements
            ? PQsendQueryPrepared(pg_, c_string(statement.name), parameters.count(), values, parameters.lengths(),
                                  parameters.formats(), binary)
            : PQsendQueryParams(pg_, c_string(statement.sql), parameters.count(), statement.parameter_types.data(),
                                values, parameters.lengths(), parameters.formats(), binary);
    write_failed_ |= sent != 1;
    steps_.push_back({.kind = Step::Kind::command, .exchange = exchange, .answer = taker, .statement = &statement});
}

void Connection::put_sync(Exchange* exchange, bool last) {
    write_failed_ |= PQpipelineSync(pg_) != 1;
    steps_.push_back({.kind = Step::Kind::sync, .last = last, .exchange = exchange});
}

void Connection::flush() {
    if (write_failed_) return lose(PQerrorMessage(pg_));
    if (awaiting_write_ || state_ != State::ready) return;
    int const left = PQflush(pg_);
    if (left == 0) return;
    if (left < 0) return lose(PQerrorMessage(pg_));
    awaiting_write_ = true;
    descriptor_.async_wait(Descriptor::wait_write, [self = shared_from_this()](boost::system::error_code error) {
        self->awaiting_write_ = false;
        if (!error) self->flush();
    });
}

// --- reading

void Connection::await_read() {
    descriptor_.async_wait(Descriptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
        if (!error && self->state_ == State::ready) self->read();
    });
}

void Connection::read() {
    bool const alive = PQconsumeInput(pg_) == 1;
    drain();
    if (state_ != State::ready) return;
    if (!alive) return lose(PQerrorMessage(pg_));
    await_read();
    owner_->progressed(*this);
}

void Connection::drain() {
    auto const before = steps_.size();
    int missing = 0;
    while (state_ == State::ready && PQisBusy(pg_) == 0 && !steps_.empty()) {
        // libpq marks the end of each command's results with a null pointer.
        if (ResultPointer result(PQgetResult(pg_)); result != nullptr) {
            missing = 0;
            take(std::move(result));
        } else if (++missing > 3) {
            lose("the server's answers do not fit what was asked");
        }
    }
    if (steps_.size() != before) head_since_ = Clock::now();
}

void Connection::take(ResultPointer result) {
    Step const step = steps_.front();
    auto const status = PQresultStatus(result.get());
    switch (status) {
        case PGRES_PIPELINE_SYNC:
            if (step.kind != Step::Kind::sync) return lose("the server's answers do not fit what was asked");
            steps_.pop_front();
            if (step.last) {
                --in_flight_;
                if (step.exchange != nullptr) owner_->finished(*this, *step.exchange);
                turn_since_ = Clock::now();
            }
            return;
        case PGRES_FATAL_ERROR:
            if (is_fatal(result.get())) return lose(PQresultErrorMessage(result.get()));
            if (step.kind == Step::Kind::prepare) {
                prepared_.failed(step.statement->name, {std::string(sqlstate_of(result.get())),
                                                        error_of(result.get(), step.statement->name)});
            } else {
                refuse(step.exchange, step.statement, result.get());
            }
            break;
        case PGRES_PIPELINE_ABORTED:
            if (step.kind == Step::Kind::prepare) prepared_.failed(step.statement->name, {});
            break;
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
            if (step.kind == Step::Kind::command) take_command(step, result.get());
            break;
        default:
            return lose("the server wants to copy data, which no statement here does");
    }
    // An error may come at the Sync itself: a deferred constraint.
    if (step.kind != Step::Kind::sync && state_ == State::ready) steps_.pop_front();
}

void Connection::take_command(Step const& step, PGresult* result) {
    auto* const exchange = step.exchange;
    if (exchange == nullptr || exchange->error) return;
    std::string_view const tag = PQcmdStatus(result);
    if (step.statement == &statements::commit && tag == "ROLLBACK") {
        exchange->failure = sqlstate::in_failed_transaction;
        exchange->error = std::make_exception_ptr(failed_transaction());
    }
    if (step.answer == nullptr) return;
    if (!is_allowed_tag(tag)) return lose("a query meddled with the transaction: " + std::string(step.statement->name));
    try {
        step.answer->take(result, PQntuples(result), rows_touched(result));
    } catch (...) {
        exchange->error = std::current_exception();
    }
}

void Connection::refuse(Exchange* exchange, Statement const* statement, PGresult const* result) {
    if (exchange == nullptr || exchange->error) return;
    auto const name = statement != nullptr ? statement->name : std::string_view();
    exchange->failure = sqlstate_of(result);
    exchange->error = error_of(result, name);
    if (exchange->failure != sqlstate::no_such_statement) return;
    // It could not be prepared: that is what its user is to know.
    if (auto why = prepared_.why(name); why.error) {
        exchange->failure = std::move(why.sqlstate);
        exchange->error = std::move(why.error);
    }
}

bool Connection::clean() const noexcept { return quiet() && PQtransactionStatus(pg_) == PQTRANS_IDLE; }

CancelPointer Connection::cancel_handle() const { return CancelPointer(PQgetCancel(pg_)); }

void Connection::abandon(Exchange const& exchange) noexcept {
    for (auto& step : steps_) {
        if (step.exchange != &exchange) continue;
        step.exchange = nullptr;
        step.answer = nullptr;
    }
}

// --- the end

void Connection::lose(std::string reason) {
    if (state_ == State::lost) return;
    state_ = State::lost;
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    reason_ = std::move(reason);
    shut();
    loop_.post([self = shared_from_this()] { self->report(); });
}

// The exchanges that nobody will answer any more, each with what its caller is to be told.
std::vector<Exchange*> Connection::take_unanswered() {
    std::vector<Exchange*> unanswered;
    for (auto const& step : std::exchange(steps_, {})) {
        if (!step.last || step.exchange == nullptr) continue;
        auto& exchange = *step.exchange;
        unanswered.push_back(&exchange);
        // What the server has refused stays refused, whether or not it lived to say that the refusal is over.
        if (exchange.error) continue;
        exchange.failure = "lost";
        exchange.error =
            exchange.end != nullptr || exchange.is_whole_transaction()
                ? std::make_exception_ptr(OutcomeUnknown())
                : std::make_exception_ptr(Unavailable("The connection to the database was lost; nothing was changed."));
    }
    in_flight_ = 0;
    return unanswered;
}

void Connection::report() {
    if (owner_ == nullptr) return;
    for (auto* const exchange : take_unanswered()) owner_->finished(*this, *exchange);
    owner_->lost(*this, reason_);
}

std::vector<Exchange*> Connection::close() {
    state_ = State::lost;
    owner_ = nullptr;
    shut();
    return take_unanswered();
}

}  // namespace buildplan::postgres::detail
