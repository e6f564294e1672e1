// For tests of the pools: queries written by hand, a schema under row-level security, and a loop to run a test on.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <set>
#include <tuple>

#include "postgres/pool.hpp"
#include "postgres/session.hpp"
#include "postgres/test_database.hpp"
#include "runtime/loop.hpp"
#include "tests/support/principal.hpp"

namespace buildplan::postgres::testing {

template <std::size_t N>
struct Literal {
    consteval Literal(char const (&text)[N]) { std::copy_n(text, N, value); }  // NOLINT: written as a string
    char value[N];
};

template <class T>
inline constexpr std::uint32_t oid_of = 0;
template <>
inline constexpr std::uint32_t oid_of<std::int32_t> = oid::int4;
template <>
inline constexpr std::uint32_t oid_of<std::int64_t> = oid::int8;
template <>
inline constexpr std::uint32_t oid_of<double> = oid::float8;
template <>
inline constexpr std::uint32_t oid_of<Uuid> = oid::uuid;
template <>
inline constexpr std::uint32_t oid_of<std::string_view> = oid::text;
template <>
inline constexpr std::uint32_t oid_of<std::string> = oid::text;

// What script/gen would write, of one column at most: `Out` is void, T for many rows, or std::optional<T> for one.
template <Literal Name, Literal Text, class Out, class... In>
struct Sql {
    static constexpr std::array<std::uint32_t, sizeof...(In)> types{oid_of<In>...};
    static constexpr Statement statement{
        {Name.value, sizeof Name.value - 1}, {Text.value, sizeof Text.value - 1}, types};
    static constexpr Cardinality cardinality = std::is_void_v<Out>        ? Cardinality::run
                                               : detail::is_optional<Out> ? Cardinality::one
                                                                          : Cardinality::many;
    template <class T>
    struct Column : std::type_identity<T> {};
    template <class T>
    struct Column<std::optional<T>> : std::type_identity<T> {};
    using Row = typename Column<Out>::type;

    static Row read(RowView row)
        requires(!std::is_void_v<Row>)
    {
        return row.get<Row>(0);
    }
    void bind(Parameters& parameters) const {
        std::apply([&](auto const&... value) { (parameters.add(value), ...); }, values);
    }
    explicit Sql(In... in) : values(in...) {}
    std::tuple<In...> values;
};

using AddNote = Sql<"add_note", "INSERT INTO notes (body) VALUES ($1)", void, std::string_view>;
using AddNoteFor =
    Sql<"add_note_for", "INSERT INTO notes (organization_id, body) VALUES ($1, $2)", void, Uuid, std::string_view>;
using AddNumbered =
    Sql<"add_numbered", "INSERT INTO notes (body, number) VALUES ($1, $2)", void, std::string_view, std::int32_t>;
using NoteBodies = Sql<"note_bodies", "SELECT body FROM notes ORDER BY body", std::string>;
using OwnersOfNotes = Sql<"owners_of_notes", "SELECT organization_id FROM notes", Uuid>;
using CountNotes = Sql<"count_notes", "SELECT count(*) FROM notes", std::optional<std::int64_t>>;
using CurrentTenant =
    Sql<"current_tenant", "SELECT current_setting('app.current_organization_id')", std::optional<std::string>>;
using CurrentWork = Sql<"current_work", "SELECT current_setting('app.system_work')", std::optional<std::string>>;
using CurrentRole = Sql<"current_role", "SELECT current_user::text", std::optional<std::string>>;
using Backend = Sql<"backend", "SELECT pg_backend_pid()", std::optional<std::int32_t>>;
using Sleep = Sql<"sleep", "SELECT 1 FROM pg_sleep($1)", std::optional<std::int32_t>, double>;
using SleepWrite =
    Sql<"sleep_write", "INSERT INTO notes (body) SELECT $1 FROM pg_sleep($2)", void, std::string_view, double>;
using DivideByZero = Sql<"divide_by_zero", "SELECT 1 / $1", std::optional<std::int32_t>, std::int32_t>;
using NoSuchTable = Sql<"no_such_table", "SELECT x FROM no_such_table", std::optional<std::int32_t>>;
using ReadBalance =
    Sql<"read_balance", "SELECT balance FROM accounts WHERE id = $1", std::optional<std::int32_t>, std::int32_t>;
using WriteBalance =
    Sql<"write_balance", "UPDATE accounts SET balance = $2 WHERE id = $1", void, std::int32_t, std::int32_t>;

// Tables with the contract's policy.
inline constexpr std::string_view schema = R"(
    CREATE TABLE notes (
        organization_id uuid NOT NULL DEFAULT current_setting('app.current_organization_id')::uuid,
        id bigint GENERATED ALWAYS AS IDENTITY, body text NOT NULL, number int,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT notes_body_key UNIQUE (organization_id, body),
        CONSTRAINT notes_number_key UNIQUE (organization_id, number) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE accounts (
        organization_id uuid NOT NULL DEFAULT current_setting('app.current_organization_id')::uuid,
        id int NOT NULL, balance int NOT NULL, PRIMARY KEY (organization_id, id));
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
    ALTER TABLE accounts ENABLE ROW LEVEL SECURITY; ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_isolation ON notes TO buildplan_app
        USING (organization_id = current_setting('app.current_organization_id')::uuid)
        WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
    CREATE POLICY tenant_isolation ON accounts TO buildplan_app
        USING (organization_id = current_setting('app.current_organization_id')::uuid)
        WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
    CREATE POLICY system_read ON notes FOR SELECT TO buildplan_system USING (true);
    GRANT SELECT, INSERT, UPDATE, DELETE ON notes, accounts TO buildplan_app;
    GRANT SELECT ON notes TO buildplan_system;
)";

// One database for the tests of a program: each test uses organizations of its own.
inline test_support::EmptyDatabase& database() {
    static test_support::EmptyDatabase database = [] {
        test_support::EmptyDatabase made;
        Session(made.owner()).execute(std::string(schema));
        return made;
    }();
    return database;
}

inline Options options_for(std::string url) {
    Options options;
    options.url = std::move(url);
    return options;
}

inline Principal somebody() { return buildplan::testing::PrincipalMaker::make(); }

// A loop on this thread, for one coroutine.
struct Ground {
    Loop loop{0, Log{}};
    Offload offload{2, 64};

    void run(task<> test) {
        std::exception_ptr failure;
        asio::co_spawn(loop.io(), std::move(test), [&](std::exception_ptr error) {
            failure = std::move(error);
            loop.stop();
        });
        loop.run();
        if (failure) std::rethrow_exception(failure);
    }
};

template <class Test>
void on_ground(Test test) {
    Ground ground;
    ground.run(test(ground));
}

template <class Test>
void on_pool(Test test, Options options = options_for(database().app())) {
    Ground ground;
    Pool pool(ground.loop, ground.offload, std::move(options));
    ground.run([](Ground& g, Pool& p, Test t) -> task<> {
        co_await t(g, p);
        co_await p.close();
    }(ground, pool, std::move(test)));
}

// Waits for something that will come about, for 10 s at most.
template <class Condition>
task<> until(Condition condition) {
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > last) throw std::runtime_error("it did not come about");
        co_await sleep_for(std::chrono::milliseconds{1});
    }
}

// A task that runs beside the test, can be cancelled, and tells how it ended.
struct Beside {
    asio::cancellation_signal signal;
    bool ended = false;
    std::exception_ptr error;

    void start(Loop& loop, task<> work) {
        asio::co_spawn(loop.io(), std::move(work),
                       asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr e) {
                           ended = true;
                           error = std::move(e);
                       }));
    }
    void cancel() { signal.emit(asio::cancellation_type::terminal); }
};

// What a task throws, as one word: "ok", "unavailable", "unknown", "timeout", "cancelled", an SQLSTATE, or "other".
inline std::string name_of(std::exception_ptr error) {
    if (!error) return "ok";
    try {
        std::rethrow_exception(error);
    } catch (Error const& e) {
        return std::string(e.sqlstate());
    } catch (OutcomeUnknown const&) {
        return "unknown";
    } catch (Timeout const&) {
        return "timeout";
    } catch (Problem const& e) {
        return e.code;
    } catch (boost::system::system_error const& e) {
        return e.code() == asio::error::operation_aborted ? "cancelled" : "other";
    } catch (...) {
        return "other";
    }
}

template <class T>
task<std::string> outcome(task<T> work) {
    std::exception_ptr error;
    try {
        co_await std::move(work);
    } catch (...) {
        error = std::current_exception();
    }
    co_return name_of(error);
}

}  // namespace buildplan::postgres::testing
