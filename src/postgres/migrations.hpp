// Migrations: the numbered files of migrations/, which are part of the program. They only go forward. Each runs in one
// transaction together with its row in `schema_migrations`, under a lock that one migrator holds at a time, so a crash
// or a second migrator leaves a schema that is either before or after a file.
//
// A file is named 0001_what_it_does.sql and begins with comment lines that say
//   -- phase: expand      it only adds: a program that does not know it yet works on
//   -- phase: contract    it takes away: programs of before it are refused
//   -- no transaction     optional: for CREATE INDEX CONCURRENTLY and the like. Such a file is one statement, written
//   so
//                         that it can be run again (IF NOT EXISTS), because it may be done and not recorded
// A file that was applied anywhere is never edited: its SHA-256 is kept and compared.
//
// Everything here blocks and belongs to the main thread, before or without a server. The URL must lead to PostgreSQL
// itself, not to a pooler: the lock belongs to the session. Throws OperatorError, one line, for whatever an operator
// can put right; a file that is not written as above is a std::logic_error.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/session.hpp"

namespace buildplan::postgres {

enum class Phase : std::uint8_t { expand, contract };
std::string_view to_string(Phase phase) noexcept;

struct Migration {
    int version = 0;
    std::string file{};  // "0001_organizations.sql"
    Phase phase = Phase::expand;
    bool in_transaction = true;
    std::string sql{};
    std::string checksum{};  // SHA-256, hex
};

// What the database remembers of one.
struct AppliedMigration {
    int version = 0;
    std::string file{};
    Phase phase = Phase::expand;
    std::string checksum{};
};

Migration parse_migration(std::string_view file, std::string_view text);
// Those of this program: 1, 2, 3, … without a gap.
std::vector<Migration> const& known_migrations();

struct MigrateOptions {
    bool dry_run = false;                                           // only says what it would do
    std::optional<std::vector<Migration>> migrations{};             // instead of known_migrations()
    std::chrono::milliseconds lock_wait = std::chrono::minutes{2};  // for another migrator
};

struct MigrationReport {
    int version_before = 0;
    int version = 0;                     // after it, or after it would have run
    std::vector<std::string> applied{};  // the files, in order
};

MigrationReport migrate(std::string const& owner_url, MigrateOptions const& options = {});

enum class SchemaState : std::uint8_t {
    current,  // what the program knows
    ahead,    // newer, but only expanded: fine
    behind,   // older: migrate first
    too_new,  // newer, and something that the program may use is gone
    changed,  // a file that was applied is not the one the program has
    unknown,  // not numbered 1, 2, 3, …
};
struct SchemaReport {
    SchemaState state = SchemaState::current;
    int known = 0;
    int version = 0;
    std::string culprit{};  // the file, for too_new, changed and unknown
};

// Whether a program with `known` can serve a database with `applied` (both in order).
SchemaReport schema_state(std::span<Migration const> known, std::span<AppliedMigration const> applied);
SchemaReport schema_state(Session& session, std::span<Migration const> known = known_migrations());

// Throws OperatorError for what is neither current nor ahead.
void refuse(SchemaReport const& report);

// For `serve` and `work`: comes back with current or ahead, refuses the others.
SchemaReport check_schema(std::string const& app_url);

}  // namespace buildplan::postgres
