#include "postgres/migrations.hpp"

#include <gtest/gtest.h>

#include <future>

#include "core/operator_error.hpp"
#include "postgres/session.hpp"
#include "postgres/test_database.hpp"

namespace buildplan::postgres {
namespace {

using test_support::EmptyDatabase;
using test_support::MigratedDatabase;

std::vector<Migration> migrations(std::initializer_list<std::string_view> texts) {
    std::vector<Migration> all;
    for (auto const text : texts) all.push_back(parse_migration(fmt::format("{:04}_test.sql", all.size() + 1), text));
    return all;
}

// The one line that an operator gets to see.
std::string refusal(std::function<void()> const& action) {
    try {
        action();
    } catch (OperatorError const& error) {
        EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
        return error.what();
    }
    ADD_FAILURE() << "it was not refused";
    return "";
}

void expect_contains(std::string const& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

constexpr auto first = "-- phase: expand\nCREATE TABLE a (x integer);\n";
constexpr auto second = "-- phase: expand\nCREATE TABLE b (x integer);\n";
constexpr auto contract = "-- phase: contract\nDROP TABLE a;\n";

TEST(MigrationFile, IsReadWithItsDirectives) {
    auto const migration = parse_migration(
        "0012_faster.sql", "-- no transaction\n-- phase: contract\n-- Why.\nDROP INDEX CONCURRENTLY x;\n");
    EXPECT_EQ(migration.version, 12);
    EXPECT_EQ(migration.file, "0012_faster.sql");
    EXPECT_EQ(migration.phase, Phase::contract);
    EXPECT_FALSE(migration.in_transaction);
    EXPECT_EQ(migration.checksum.size(), 64U);
}

TEST(MigrationFile, MustHaveNumberAndPhase) {
    EXPECT_THROW(parse_migration("1_short.sql", first), std::logic_error);
    EXPECT_THROW(parse_migration("0000_zero.sql", first), std::logic_error);
    EXPECT_THROW(parse_migration("00a1_letter.sql", first), std::logic_error);
    EXPECT_THROW(parse_migration("0001_none.txt", first), std::logic_error);
    EXPECT_THROW(parse_migration("0001_no_phase.sql", "CREATE TABLE a ();"), std::logic_error);
    EXPECT_THROW(parse_migration("0001_late_phase.sql", "CREATE TABLE a ();\n-- phase: expand"), std::logic_error);
}

TEST(Migrations, FreshDatabaseGetsAllOfThemAndThenNothing) {
    EmptyDatabase const database;
    auto const report = migrate(database.owner());
    EXPECT_EQ(report.version_before, 0);
    EXPECT_EQ(report.version, static_cast<int>(known_migrations().size()));
    EXPECT_EQ(report.applied.size(), known_migrations().size());
    EXPECT_EQ(check_schema(database.app()).state, SchemaState::current);

    auto const again = migrate(database.owner());
    EXPECT_TRUE(again.applied.empty());
    EXPECT_EQ(again.version_before, report.version);
}

TEST(Migrations, DryRunSaysWhatItWouldDoAndDoesNothing) {
    EmptyDatabase const database;
    auto const report = migrate(database.owner(), {.dry_run = true, .migrations = migrations({first, second})});
    EXPECT_EQ(report.applied, (std::vector<std::string>{"0001_test.sql", "0002_test.sql"}));
    Session session(database.owner());
    EXPECT_EQ(session.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), "0");
}

TEST(Migrations, OnlyTheNewOnesAreApplied) {
    EmptyDatabase const database;
    migrate(database.owner(), {.migrations = migrations({first})});
    auto const report = migrate(database.owner(), {.migrations = migrations({first, second})});
    EXPECT_EQ(report.version_before, 1);
    EXPECT_EQ(report.applied, std::vector<std::string>{"0002_test.sql"});
}

TEST(Migrations, ChangedFileIsRefused) {
    EmptyDatabase const database;
    migrate(database.owner(), {.migrations = migrations({first})});
    auto const said = refusal([&] { migrate(database.owner(), {.migrations = migrations({second, second})}); });
    expect_contains(said, "0001_test.sql");
    Session session(database.owner());
    EXPECT_EQ(session.value("SELECT max(version) FROM schema_migrations"), "1");
}

TEST(Migrations, GapIsRefused) {
    EmptyDatabase const database;
    migrate(database.owner(), {.migrations = migrations({first, second})});
    Session(database.owner()).execute("DELETE FROM schema_migrations WHERE version = 1");
    expect_contains(refusal([&] { migrate(database.owner(), {.migrations = migrations({first, second})}); }), "gap");
}

TEST(Migrations, FailingFileLeavesNothingAndNamesTheLine) {
    EmptyDatabase const database;
    auto const broken =
        migrations({first, "-- phase: expand\n-- größer\nCREATE TABLE b (x integer);\nSELECT nonsense;\n"});
    auto const said = refusal([&] { migrate(database.owner(), {.migrations = broken}); });
    expect_contains(said, "migrations/0002_test.sql:4: column \"nonsense\" does not exist");
    Session session(database.owner());
    EXPECT_EQ(session.value("SELECT max(version) FROM schema_migrations"), "1");
    EXPECT_EQ(session.value("SELECT to_regclass('b')::text"), std::nullopt);
    EXPECT_EQ(migrate(database.owner(), {.migrations = migrations({first, second})}).applied.size(), 1U);
}

TEST(Migrations, FileThatEndsItsTransactionIsRefused) {
    EmptyDatabase const database;
    EXPECT_THROW(migrate(database.owner(), {.migrations = migrations({"-- phase: expand\nCOMMIT;\n"})}),
                 std::logic_error);
}

TEST(Migrations, IndexIsBuiltConcurrentlyWhileAnotherMigratorWaits) {
    EmptyDatabase const database;
    auto const all = migrations(
        {first, "-- phase: expand\n-- no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_x ON a (x);\n",
         second});
    auto const run = [&] { return migrate(database.owner(), {.migrations = all}).applied.size(); };
    auto one = std::async(std::launch::async, run);
    auto two = std::async(std::launch::async, run);
    EXPECT_EQ(one.get() + two.get(), 3U);
    EXPECT_EQ(Session(database.owner()).value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_x'::regclass"),
              "t");
}

TEST(Migrations, InvalidIndexIsReportedAndNotRecorded) {
    EmptyDatabase const database;
    auto const all = migrations(
        {"-- phase: expand\nCREATE TABLE a (x integer);\nINSERT INTO a VALUES (1), (1);\n",
         "-- phase: expand\n-- no transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_x ON a (x);\n"});
    expect_contains(refusal([&] { migrate(database.owner(), {.migrations = all}); }), "could not create unique index");
    // The broken index is there now, so IF NOT EXISTS would let it pass.
    expect_contains(refusal([&] { migrate(database.owner(), {.migrations = all}); }), "the index a_x is invalid");
    Session session(database.owner());
    EXPECT_EQ(session.value("SELECT max(version) FROM schema_migrations"), "1");
    session.execute("DROP INDEX a_x; TRUNCATE a");
    EXPECT_EQ(migrate(database.owner(), {.migrations = all}).version, 2);
}

TEST(Migrations, SecondMigratorGivesUpAfterItsPatience) {
    EmptyDatabase const database;
    Session holder(database.owner());
    holder.execute("SELECT pg_advisory_lock(7308327756218990177)");
    auto const said = refusal([&] {
        migrate(database.owner(), {.migrations = migrations({first}), .lock_wait = std::chrono::milliseconds{0}});
    });
    expect_contains(said, "Another 'buildplan migrate'");
}

TEST(Migrations, AppRoleCannotMigrate) {
    EmptyDatabase const database;
    expect_contains(refusal([&] { migrate(database.app()); }), "use the URL of buildplan_owner");
}

TEST(SchemaState, FollowsExpandAndContract) {
    auto const state = [](std::vector<Migration> const& known, std::vector<Migration> const& applied) {
        std::vector<AppliedMigration> rows;
        for (auto const& m : applied) rows.push_back({m.version, m.file, m.phase, m.checksum});
        return schema_state(known, rows).state;
    };
    auto const one = migrations({first});
    auto const two = migrations({first, second});
    auto const contracted = migrations({first, contract});
    EXPECT_EQ(state(one, {}), SchemaState::behind);
    EXPECT_EQ(state(two, one), SchemaState::behind);
    EXPECT_EQ(state(two, two), SchemaState::current);
    EXPECT_EQ(state(one, two), SchemaState::ahead);
    EXPECT_EQ(state(one, contracted), SchemaState::too_new);
    EXPECT_EQ(state(one, migrations({first, contract, second})), SchemaState::too_new);
    EXPECT_EQ(state(contracted, contracted), SchemaState::current);
    EXPECT_EQ(state(two, contracted), SchemaState::changed);
    EXPECT_EQ(state(two, {two[1]}), SchemaState::unknown);
}

TEST(SchemaState, ServeRefusesAnOldSchemaAndAcceptsAnExpandedOne) {
    EmptyDatabase const database;
    expect_contains(refusal([&] { check_schema(database.app()); }), "run 'buildplan migrate'");

    auto all = known_migrations();
    auto const next = static_cast<int>(all.size()) + 1;
    all.push_back(parse_migration(fmt::format("{:04}_next.sql", next), first));
    migrate(database.owner(), {.migrations = all});
    auto const report = check_schema(database.app());
    EXPECT_EQ(report.state, SchemaState::ahead);
    EXPECT_EQ(report.version, next);
    EXPECT_TRUE(migrate(database.owner()).applied.empty());

    all.push_back(parse_migration(fmt::format("{:04}_take.sql", next + 1), contract));
    migrate(database.owner(), {.migrations = all});
    expect_contains(refusal([&] { check_schema(database.app()); }), "too old for the schema");
}

TEST(SchemaState, UnreachableServerIsOneLine) {
    expect_contains(refusal([] { check_schema("postgresql://nobody@/none?host=/nonexistent"); }), "cannot be reached");
}

}  // namespace
}  // namespace buildplan::postgres
