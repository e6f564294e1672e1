#include "postgres/listener.hpp"

#include <fmt/core.h>
#include <libpq-fe.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

#include "core/metrics.hpp"
#include "postgres/detail/conninfo.hpp"

namespace buildplan::postgres {
namespace {

// An idle line is asked something now and then, so that one that is cut without a word is found out.
constexpr std::chrono::seconds check_every{20};

LaneOptions const patient{1, 0, 1, std::chrono::seconds{10}, std::chrono::seconds{3}};

}  // namespace

class Listener::Line : public std::enable_shared_from_this<Line> {
public:
    Line(Loop& loop, Offload& offload, Options options, std::string channel, std::function<void()> heard)
        : loop_(loop),
          offload_(offload),
          options_(std::move(options)),
          conninfo_(options_, patient),
          channel_(std::move(channel)),
          heard_(std::move(heard)),
          descriptor_(loop.executor()),
          timer_(loop.executor()),
          connects_(loop.metrics().counter("buildplan_postgres_listener_connects_total",
                                           "Connections made to hear notifications.")) {}
    ~Line() { shut(); }

    [[nodiscard]] bool live() const noexcept { return state_ == State::listening; }

    void connect() {
        if (state_ == State::stopped) return;
        state_ = State::connecting;
        if (conninfo_.needs_resolving()) {
            loop_.spawn("resolve the database's name", resolve(shared_from_this()));
        } else {
            begin(conninfo_);
        }
    }

    void stop() {
        state_ = State::stopped;
        timer_.cancel();
        shut();
    }

private:
    enum class State : std::uint8_t { connecting, asking, listening, lost, stopped };
    using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

    static task<> resolve(std::shared_ptr<Line> self) {
        std::optional<detail::Conninfo> resolved;
        std::string reason;
        auto const work = [conninfo = self->conninfo_] { return conninfo.resolved(); };
        try {
            resolved = co_await self->offload_.run(work);
        } catch (std::exception const& error) {
            reason = error.what();
        }
        if (self->state_ != State::connecting) co_return;
        if (resolved) {
            self->begin(*resolved);
        } else {
            self->lose(std::move(reason));
        }
    }

    void begin(detail::Conninfo const& conninfo) {
        auto const arrays = conninfo.arrays();
        pg_ = PQconnectStartParams(arrays.keywords.data(), arrays.values.data(), 0);
        if (pg_ == nullptr || PQstatus(pg_) == CONNECTION_BAD)
            return lose(pg_ != nullptr ? PQerrorMessage(pg_) : "no memory");
        PQsetNoticeProcessor(pg_, [](void*, char const*) {}, nullptr);
        alarm(options_.connect_timeout, "no connection within the time allowed");
        await_connect(Descriptor::wait_write);
    }

    void await_connect(Descriptor::wait_type type) {
        descriptor_.assign(PQsocket(pg_));
        descriptor_.async_wait(type, [self = shared_from_this()](boost::system::error_code error) {
            if (!error && self->state_ == State::connecting) self->poll();
        });
    }

    void poll() {
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
        if (PQsetnonblocking(pg_, 1) != 0) return lose(PQerrorMessage(pg_));
        descriptor_.assign(PQsocket(pg_));
        ask("LISTEN " + channel_);
        await_read();
    }

    // A statement so short that the socket takes it whole; what it may not have taken goes with the next one.
    void ask(std::string const& statement) {
        if (PQsendQuery(pg_, statement.c_str()) != 1 || PQflush(pg_) < 0) return lose(PQerrorMessage(pg_));
        if (state_ == State::connecting) state_ = State::asking;
        alarm(options_.connect_timeout, "the server has stopped answering");
    }

    void await_read() {
        if (!is_up()) return;
        descriptor_.async_wait(Descriptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
            if (!error && self->is_up()) self->read();
        });
    }

    void read() {
        if (PQconsumeInput(pg_) != 1) return lose(PQerrorMessage(pg_));
        bool news = false;
        while (PQisBusy(pg_) == 0) {
            std::unique_ptr<PGresult, void (*)(PGresult*)> const result(PQgetResult(pg_), PQclear);
            if (!result) break;
            if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) return lose(PQresultErrorMessage(result.get()));
            if (state_ == State::asking) {
                state_ = State::listening;
                connects_.add();
                if (std::exchange(failures_, 0) > 0) loop_.log().info("listening to PostgreSQL again");
                news = true;  // whatever was rung before
            }
            check_later();
        }
        while (auto* const notification = PQnotifies(pg_)) {
            news = true;
            PQfreemem(notification);
        }
        await_read();
        if (news) heard_();
    }

    void check_later() {
        timer_.expires_after(check_every);
        timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error && self->is_up()) self->ask("SELECT 1");
        });
    }

    void alarm(Timer::duration after, char const* reason) {
        if (state_ == State::lost || state_ == State::stopped) return;
        timer_.expires_after(after);
        timer_.async_wait([self = shared_from_this(), reason](boost::system::error_code error) {
            if (!error && self->state_ != State::stopped) self->lose(reason);
        });
    }

    void lose(std::string reason) {
        if (state_ == State::stopped) return;
        state_ = State::lost;
        shut();
        while (!reason.empty() && reason.back() == '\n') reason.pop_back();
        if (failures_++ == 0) loop_.log().warning("cannot listen to PostgreSQL", {{"reason", reason}});
        timer_.expires_after(std::min(options_.backoff_limit, options_.backoff * (1u << std::min(failures_ - 1, 10u))));
        timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error) self->connect();
        });
    }

    void shut() noexcept {
        if (descriptor_.is_open()) descriptor_.release();
        if (auto* const pg = std::exchange(pg_, nullptr)) PQfinish(pg);
    }

    [[nodiscard]] bool is_up() const noexcept { return state_ == State::asking || state_ == State::listening; }

    Loop& loop_;
    Offload& offload_;
    Options options_;
    detail::Conninfo conninfo_;
    std::string channel_;
    std::function<void()> heard_;
    PGconn* pg_ = nullptr;
    Descriptor descriptor_;
    Timer timer_;  // of the backoff, of an answer that is due, or of the next check
    State state_ = State::lost;
    unsigned failures_ = 0;
    metrics::Counter& connects_;
};

Listener::Listener(Loop& loop, Offload& offload, Options options, std::string channel, std::function<void()> heard) {
    if (!options.named_statements) return;
    line_ = std::make_shared<Line>(loop, offload, std::move(options), std::move(channel), std::move(heard));
}

Listener::~Listener() { stop(); }

void Listener::start() {
    if (line_) line_->connect();
}

void Listener::stop() {
    if (line_) line_->stop();
}

bool Listener::live() const noexcept { return line_ && line_->live(); }

}  // namespace buildplan::postgres
