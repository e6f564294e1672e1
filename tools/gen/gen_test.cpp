#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "fmt/core.h"
#include "gen/example/queries.gen.hpp"
#include "gen/generate.hpp"
#include "gen/source.hpp"
#include "src/postgres/test_database.hpp"

namespace buildplan::gen {
namespace {

using test_support::MigratedDatabase;

std::string file(std::string const& name) {
    std::ifstream stream(std::string(GEN_EXAMPLE "/") + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class Generator : public testing::Test {
protected:
    static void SetUpTestSuite() {
        schema = std::make_unique<MigratedDatabase>();
        database = std::make_unique<Database>(schema->app(), schema->system());
    }
    static void TearDownTestSuite() {
        database.reset();
        schema.reset();
    }

    static std::string header(std::string_view sql) { return make_header("features/things", sql, *database); }
    // "line: message" of what is wrong with `sql`.
    static std::string error(std::string_view sql) {
        try {
            (void)header(sql);
        } catch (SourceError const& wrong) {
            return fmt::format("{}: {}", wrong.line, wrong.what());
        }
        return "nothing is wrong";
    }

    static inline std::unique_ptr<MigratedDatabase> schema;
    static inline std::unique_ptr<Database> database;
};

TEST_F(Generator, WritesTheExampleAsItIsCheckedIn) {
    auto const expected = file("queries.gen.hpp");
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(make_header("gen/example", file("queries.sql"), *database), expected) << "run script/gen";
}

TEST_F(Generator, NamesTheSpaceAndTheStatementAfterTheFolder) {
    auto const text = header("-- name: look :run\nDELETE FROM idempotency_keys WHERE key = $key;\n");
    EXPECT_NE(text.find("namespace buildplan::things::queries {"), std::string::npos) << text;
    EXPECT_NE(text.find("statement{\"things.look\", sql, parameter_types}"), std::string::npos) << text;
}

TEST_F(Generator, FileWithoutStatementsIsAnEmptyHeader) {
    EXPECT_NE(header("-- nothing yet\n").find("namespace buildplan::things::queries {"), std::string::npos);
}

TEST_F(Generator, ReportsWhatPostgresRefusesWithItsLine) {
    EXPECT_EQ(error("-- name: a :many\nSELECT name,\n  -- größer\n  nonsense\nFROM workspaces;"),
              "4: a: column \"nonsense\" does not exist");
    EXPECT_EQ(error("\n-- name: a :run\nUPDATE worksapces SET name = $name;"),
              "3: a: relation \"worksapces\" does not exist");
    EXPECT_EQ(error("-- name: a :one\nSELECT name FROM workspaces\nWHERE version = 'x'::text;"),
              "3: a: operator does not exist: integer = text (No operator matches the given name and argument types. "
              "You might need to add explicit type casts.)");
    EXPECT_EQ(error("-- name: a :many\nSELECT $1, $thing;").substr(0, 8), "2: $1 is");
}

TEST_F(Generator, ReportsRightsThatTheRoleDoesNotHave) {
    EXPECT_EQ(error("-- name: a :run\nDELETE FROM workspaces;"), "1: a: permission denied for table workspaces");
    EXPECT_EQ(error("-- name: a :run\nUPDATE workspaces SET created_at = now();"),
              "1: a: permission denied for table workspaces");
    EXPECT_EQ(error("-- name: a :many system\nSELECT name FROM workspaces;"),
              "1: a: permission denied for table workspaces");
    EXPECT_EQ(error("-- name: a :many system\nSELECT name FROM organizations;"), "nothing is wrong");
}

TEST_F(Generator, RefusesAnAnswerThatTheNameDoesNotExpect) {
    EXPECT_EQ(error("-- name: a :run\nSELECT name FROM workspaces;"), "1: a has an answer: say :one or :many");
    EXPECT_EQ(error("-- name: a :one\nUPDATE workspaces SET name = $name;"), "1: a has no answer: say :run");
    EXPECT_EQ(error("-- name: a :many !nme\nSELECT name FROM workspaces;"),
              "1: there is no column nme to say anything of");
    EXPECT_EQ(error("-- name: a :many\nSELECT name, name FROM workspaces;"), "1: two columns are called name: use AS");
    EXPECT_EQ(error("-- name: a :one\nSELECT 1;"), "1: column 1 has no name: use AS");
    EXPECT_EQ(error("-- name: a :one\nSELECT 1 AS class;"),
              "1: column 1 cannot be called 'class' in C++: choose another name");
}

TEST_F(Generator, RefusesTypesThatTheProgramDoesNotSpeak) {
    EXPECT_EQ(error("-- name: a :one\nSELECT 1.5 AS price;"),
              "1: the column price has the type numeric, which the program does not speak: cast it (::text, ::bigint)");
    EXPECT_EQ(error("-- name: a :one\nSELECT $price::numeric IS NULL AS free;").substr(0, 32),
              "1: $price has the type numeric, ");
}

TEST_F(Generator, UuidsMustHaveATypeOfTheirOwn) {
    auto const column = error("-- name: a :many\nSELECT id FROM workspaces;");
    EXPECT_NE(column.find("add '-- type: workspaces.id SomethingId"), std::string::npos) << column;
    auto const parameter = error("-- name: a :run\nUPDATE workspaces SET name = 'x' WHERE id = $id;");
    EXPECT_NE(parameter.find("add '-- type: $id SomethingId"), std::string::npos) << parameter;
    EXPECT_EQ(error("-- type: apples.id AppleId\n-- name: a :run\nUPDATE workspaces SET name = 'x';"),
              "1: nothing has the type of apples.id: take the line away");
    auto const text = header("-- name: a :many\nSELECT organization_id FROM workspaces;");
    EXPECT_NE(text.find("OrganizationId organization_id;"), std::string::npos) << text;
}

TEST_F(Generator, RowsOfOneNameMustBeTheSame) {
    EXPECT_EQ(error("-- name: a :many Thing\nSELECT name FROM workspaces;\n-- name: b :one Thing\nSELECT slug FROM "
                    "workspaces;"),
              "3: b does not have the columns that Thing has above");
}

TEST_F(Generator, NullabilityComesFromTheCatalogUnlessItIsSaid) {
    auto const type = [](std::string_view sql, std::string const& name) {
        auto const text = header(sql);
        auto const end = text.find(" " + name + ";\n");
        auto const begin = text.rfind("        ", end) + 8;
        return text.substr(begin, end - begin);
    };
    EXPECT_EQ(type("-- name: a :many\nSELECT name FROM workspaces;", "name"), "std::string");
    EXPECT_EQ(type("-- name: a :many ?name\nSELECT name FROM workspaces;", "name"), "std::optional<std::string>");
    EXPECT_EQ(type("-- name: a :many\nSELECT description FROM workspaces;", "description"),
              "std::optional<std::string>");
    EXPECT_EQ(type("-- name: a :many !description\nSELECT description FROM workspaces;", "description"), "std::string");
    EXPECT_EQ(type("-- name: a :many\nSELECT upper(name) AS name FROM workspaces;", "name"),
              "std::optional<std::string>");
    for (auto const* const join : {"LEFT JOIN", "left outer join", "RIGHT JOIN", "FULL JOIN"}) {
        EXPECT_EQ(
            type(fmt::format("-- name: a :many\nSELECT k.name FROM workspaces w {} api_keys k USING (name);", join),
                 "name"),
            "std::optional<std::string>");
    }
    EXPECT_EQ(
        type("-- name: a :many\nSELECT k.name FROM workspaces w JOIN api_keys k ON k.name = left(w.name, 3);", "name"),
        "std::string");
    EXPECT_EQ(type("-- name: a :many\nSELECT name FROM workspaces GROUP BY ROLLUP (name);", "name"),
              "std::optional<std::string>");
}

TEST_F(Generator, ExampleRunsAgainstTheServer) {
    namespace q = example::queries;
    auto const tenant = OrganizationId::make();
    auto const bind = [](postgres::Session& session, auto const& query) {
        postgres::Parameters parameters;
        query.bind(parameters);
        (void)session.run(query.statement, parameters);
    };
    postgres::Session system(schema->system());
    bind(system, q::CreateOrganization{.organization_id = tenant, .name = "Acme", .slug = "acme"});

    postgres::Session app(schema->app());
    auto const text = tenant.to_string();
    ASSERT_TRUE(app.rows(q::SetTenant{.organization = text}).at(0).was_set);
    auto const id = example::WorkspaceId::make();
    auto const made =
        app.rows(q::CreateWorkspace{.organization_id = tenant, .id = id, .name = "Größe", .slug = "g"}).at(0);
    EXPECT_EQ(made.id, id);
    EXPECT_EQ(made.description, std::nullopt);
    EXPECT_EQ(made.version, 1);
    bind(app, q::ArchiveWorkspace{.id = id});

    auto const listed =
        app.rows(q::ListWorkspaces{.last_created_at = Timestamp::max(), .last_id = id, .name = "Größe", .limit = 5});
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].name, "Größe");
    EXPECT_EQ(listed[0].created_at, made.created_at);
    EXPECT_TRUE(listed[0].archived_at);
    EXPECT_TRUE(app.rows(q::ListWorkspaces{.last_created_at = Timestamp::min(), .last_id = id, .limit = 5}).empty());

    std::vector const ids{id, example::WorkspaceId::make()};
    auto const count = app.rows(q::CountWorkspaces{.ids = ids}).at(0);
    EXPECT_EQ(count.total, 1);
    EXPECT_EQ(count.slugs, std::vector<std::string>{"g"});
    EXPECT_EQ(app.rows(q::WorkspacesWithKeys{}).at(0).key_name, std::nullopt);

    std::vector<std::string> const names{"a", "ü"};
    std::vector<std::int64_t> const numbers{1, -1};
    std::vector const times{made.created_at};
    auto const all = app.rows(q::AllTypes{.flag = true,
                                          .small = -3,
                                          .real = 0.5,
                                          .document = {R"({"a": 1})"},
                                          .names = names,
                                          .numbers = numbers,
                                          .bytes = std::string_view("\0\1", 2),
                                          .at_times = times})
                         .at(0);
    EXPECT_TRUE(all.flag);
    EXPECT_EQ(all.small, -3);
    EXPECT_EQ(all.real, 0.5);
    EXPECT_EQ(all.document.text, R"({"a": 1})");
    EXPECT_EQ(all.names, names);
    EXPECT_EQ(all.numbers, numbers);
    EXPECT_EQ(all.bytes, std::string("\0\1", 2));
    EXPECT_EQ(all.at_times, times);
    EXPECT_EQ(all.quoted, "$5 isn't a parameter; nor is $this, nor $that'$other");
    static_assert(postgres::SystemQuery<q::CreateOrganization> && !postgres::SystemQuery<q::SetTenant>);
    static_assert(postgres::RunQuery<q::ArchiveWorkspace> && postgres::ManyQuery<q::ListWorkspaces>);
}

// The statement that is sent for `body`, and its parameters.
std::string sent(std::string_view body) {
    auto const query = parse(fmt::format("-- name: a :run\n{}", body)).queries.at(0);
    std::string out = query.sql;
    for (auto const& parameter : query.parameters)
        out += fmt::format(" {}{}", parameter.name, parameter.nullable ? "?" : "");
    EXPECT_EQ(query.lines.size(), query.sql.size());
    return out;
}

TEST(Source, ParametersAreNumberedInTheOrderTheyAppear) {
    EXPECT_EQ(sent("SELECT $b, $a, $b;"), "SELECT $1, $2, $1 b a");
    EXPECT_EQ(sent("SELECT $b, $b?;"), "SELECT $1, $1 b?");
    EXPECT_EQ(sent("SELECT j ? $key, j ?| $keys;"), "SELECT j ? $1, j ?| $2 key keys");
    EXPECT_EQ(sent("SELECT $a::text, x$y;"), "SELECT $1::text, x$y a");
}

TEST(Source, CommentsGoAndQuotesStay) {
    EXPECT_EQ(sent("SELECT 1 -- $a\n\n  , 2; -- $b\n-- $c\n"), "SELECT 1\n  , 2");
    EXPECT_EQ(sent("SELECT /* $a /* ; */ */ 1;"), "SELECT   1");
    EXPECT_EQ(sent("SELECT ';$a''', \"$b\"\"\", E'\\';$c', $$;$d$$, $x$ $$ $e $x$;"),
              "SELECT ';$a''', \"$b\"\"\", E'\\';$c', $$;$d$$, $x$ $$ $e $x$");
}

TEST(Source, SaysWhatIsWrongAndWhere) {
    auto const error = [](std::string_view text) -> std::string {
        try {
            (void)parse(text);
        } catch (SourceError const& wrong) {
            return fmt::format("{}: {}", wrong.line, wrong.what());
        }
        return "nothing is wrong";
    };
    EXPECT_EQ(error("SELECT 1;"), "1: a statement without a '-- name:' line before it");
    EXPECT_EQ(error("-- name: a :run\nSELECT 1\n"), "3: the statement has no ';' at its end");
    EXPECT_EQ(error("-- name: a :run\nSELECT 1;\nSELECT 2;"), "3: a second statement under one name");
    EXPECT_EQ(error("-- name: a :run\n;"), "2: there is no statement before the ';'");
    EXPECT_EQ(error("-- name: a :run\nSELECT 'x;\n"), "2: a ' has no end");
    EXPECT_EQ(error("-- name: a :run\nSELECT $x$ ;\n"), "2: $x$ has no end");
    EXPECT_EQ(error("-- name: a :run\n\nSELECT /* ;\n"), "4: a comment has no end");
    EXPECT_EQ(error("-- name: a :run\nSELECT $Name;"), "2: $Name: a parameter is named in snake_case");
    EXPECT_EQ(error("-- name: a :all\nSELECT 1;"), "1: :all is none of :one, :many and :run");
    EXPECT_EQ(error("-- name: A :run\nSELECT 1;"), "1: write '-- name: in_snake_case :many' (or :one, :run)");
    EXPECT_EQ(error("-- name: a :run b\nSELECT 1;"),
              "1: 'b' is neither !column, ?column, 'system' nor the name of a row");
    EXPECT_EQ(error("-- name: a :run\nSELECT 1;\n-- name: a :run\nSELECT 1;"), "3: there is a a already");
    EXPECT_EQ(error("-- name: a :run\nSELECT 1;\n-- type: id ThingId"),
              "3: '-- type:' belongs before the first '-- name:'");
    EXPECT_EQ(error("-- type: id"),
              R"(1: write '-- type: table.column Type "its/header.hpp"', or $parameter for the column)");
}

}  // namespace
}  // namespace buildplan::gen
