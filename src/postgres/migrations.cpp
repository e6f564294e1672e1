#include "postgres/migrations.hpp"

#include <algorithm>
#include <thread>

#include "core/operator_error.hpp"
#include "fmt/core.h"

namespace buildplan::postgres {
namespace {

// Any number that nobody else uses as an advisory lock of this database.
constexpr auto lock_key = "7308327756218990177";
constexpr std::chrono::milliseconds lock_poll{50};

// Asked again and again instead of waited for: a session that waits holds a snapshot, and CREATE INDEX CONCURRENTLY of
// the one it waits for would wait for that in turn.
void lock(Session& session, std::chrono::milliseconds patience) {
    auto const until = std::chrono::steady_clock::now() + patience;
    while (session.value(fmt::format("SELECT pg_try_advisory_lock({})", lock_key)) != "t") {
        if (std::chrono::steady_clock::now() >= until) {
            throw OperatorError("Another 'buildplan migrate' works on this database", "wait until it is done");
        }
        std::this_thread::sleep_for(lock_poll);
    }
}

void make_table(Session& session) {
    session.execute(R"sql(
        CREATE TABLE IF NOT EXISTS public.schema_migrations (
            version    integer PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            phase      text NOT NULL CHECK (phase IN ('expand', 'contract')),
            applied_at timestamptz NOT NULL DEFAULT now());
        GRANT SELECT ON public.schema_migrations TO buildplan_app, buildplan_system)sql");
}

void check_roles(Session& session) {
    auto const missing = session.value(
        "SELECT string_agg(name, ', ') FROM unnest(ARRAY['buildplan_app', 'buildplan_system']) AS name "
        "WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)");
    if (missing) {
        throw OperatorError(fmt::format("The roles of BuildPlan are not there yet ({})", *missing),
                            "make them first, with the URL of an administrator");
    }
}

// The line of a file where its `position`th character stands.
std::size_t line_at(std::string_view text, std::size_t position) {
    std::size_t line = 1;
    std::size_t character = 1;
    for (char const c : text) {
        if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;  // the middle of a character
        if (character++ >= position) break;
        if (c == '\n') ++line;
    }
    return line;
}

OperatorError failed(Migration const& migration, ServerError const& error) {
    auto const where = error.position == 0
                           ? migration.file
                           : fmt::format("{}:{}", migration.file, line_at(migration.sql, error.position));
    if (error.sqlstate == "55P03") {
        return {fmt::format("migrations/{}: a table is in use by somebody else", where),
                "nothing was changed; try again when less is going on"};
    }
    return {fmt::format("migrations/{}: {}", where, error.describe()),
            migration.in_transaction ? "nothing of this file was changed" : "look at what this file left behind"};
}

void record(Session& session, Migration const& migration) {
    session.query("INSERT INTO public.schema_migrations (version, name, checksum, phase) VALUES ($1, $2, $3, $4)",
                  {std::to_string(migration.version), migration.file, migration.checksum,
                   std::string(to_string(migration.phase))});
}

// CREATE INDEX CONCURRENTLY that fails leaves an index that is kept up to date and never used.
void check_indexes(Session& session, Migration const& migration) {
    auto const broken = session.value(
        "SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index JOIN pg_class ON pg_class.oid = indrelid "
        "WHERE NOT indisvalid AND relnamespace = 'public'::regnamespace");
    if (broken) {
        throw OperatorError(fmt::format("migrations/{}: the index {} is invalid", migration.file, *broken),
                            fmt::format("drop it (DROP INDEX CONCURRENTLY {}) and migrate again", *broken));
    }
}

void apply(Session& session, Migration const& migration) {
    try {
        if (!migration.in_transaction) {
            session.execute(migration.sql);
            check_indexes(session, migration);
            record(session, migration);
            return;
        }
        session.execute("BEGIN");
        session.execute(migration.sql);
        if (!session.in_transaction()) {
            throw std::logic_error(fmt::format("migrations/{}: it ends the transaction it runs in", migration.file));
        }
        record(session, migration);
        session.execute("COMMIT");
    } catch (ServerError const& error) {
        throw failed(migration, error);
    }
}

}  // namespace

static MigrationReport migrate(Session& session, std::span<Migration const> known, MigrateOptions const& options) {
    check_roles(session);
    if (!options.dry_run) {
        lock(session, options.lock_wait);
        make_table(session);
    }
    auto const found = schema_state(session, known);
    if (found.state != SchemaState::behind) refuse(found);

    MigrationReport report{.version_before = found.version, .version = std::max(found.version, found.known)};
    if (found.state == SchemaState::behind) {
        for (auto const& migration : known.subspan(static_cast<std::size_t>(found.version))) {
            if (!options.dry_run) apply(session, migration);
            report.applied.push_back(migration.file);
        }
    }
    return report;
}

MigrationReport migrate(std::string const& owner_url, MigrateOptions const& options) {
    Session session(owner_url);
    try {
        return migrate(session, options.migrations ? *options.migrations : known_migrations(), options);
    } catch (ServerError const& error) {
        throw OperatorError(fmt::format("The database cannot be migrated ({})", error.describe()),
                            "use the URL of buildplan_owner");
    }
}

}  // namespace buildplan::postgres
