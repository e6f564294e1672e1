// Whatever is done to a chain behind the program's back is found, by somebody who may do anything to the database.
#include <gtest/gtest.h>

#include "api/test_server.hpp"
#include "features/audit/verify.hpp"

namespace buildplan::audit {
namespace {

using api::testing::database;
using api::testing::Tenant;

// An organization with five entries, no two alike, and a superuser whom no trigger and no key holds.
class Chained : public ::testing::Test {
protected:
    Chained() {
        postgres::Session app(database().app());
        app.query("SELECT set_config('app.current_organization_id', $1, false)", {id()});
        auto const as = [&](std::string const& actor) {
            app.query("SELECT set_config('app.actor', $1, false)", {actor});
        };
        auto const record = [&](std::string const& values) {
            app.execute(
                "INSERT INTO audit_log (organization_id, action, target_kind, target_id, before, after) "
                "VALUES ('" +
                id() + "', " + values + ")");
        };
        as("system\x1f\x1fTest\x1f\x1f");
        record("'thing.made', 'thing', '1', NULL, '{\"name\": \"Ä\\u0001\\\"\", \"n\": [1.50, -2e3, null, {}]}'");
        record("'thing.changed', 'thing', '2', '{\"a\": 1}', '{\"a\": 2}'");
        as("user\x1f"
           "0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b\x1f"
           "Ada\x1f"
           "::1\x1f"
           "r-3");
        record("'thing.changed', 'thing', '3', '{\"a\": 2}', '{\"a\": 3}'");
        as("api_key\x1f"
           "0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6c\x1f"
           "CI\x1f"
           "192.0.2.1\x1f");
        record("'thing.removed', 'thing', '4', '{}', NULL");
        record("'things.removed', 'things', NULL, NULL, NULL");
        admin.execute("SET session_replication_role = replica");
    }
    [[nodiscard]] std::string id() const { return tenant.id.to_string(); }
    void change(std::string const& sql) { EXPECT_FALSE(admin.query(sql + " RETURNING 1").empty()) << sql; }
    [[nodiscard]] std::string here(int seq) const {
        return " WHERE organization_id = '" + id() + "' AND seq = " + std::to_string(seq);
    }
    // "3: its contents and its hash do not fit"; empty for a chain that holds.
    [[nodiscard]] std::string broken(std::optional<Known> const& known = {}) const {
        postgres::Session app(database().app());
        auto const found = verify(app, tenant.id, known);
        return found.broken ? std::to_string(found.broken->seq) + ": " + found.broken->problem : "";
    }

    Tenant tenant;
    postgres::Session admin{database().admin()};
};

TEST_F(Chained, HoldsAsItWasWritten) {
    postgres::Session app(database().app());
    auto const found = verify(app, tenant.id);
    EXPECT_FALSE(found.broken) << found.broken->problem;
    EXPECT_EQ(found.entries, 5);
    EXPECT_EQ(found.hash, admin.value("SELECT encode(hash, 'hex') FROM audit_log" + here(5)));
}

TEST_F(Chained, HoldsWhereNothingWasRecorded) {
    Tenant const other;
    postgres::Session app(database().app());
    auto const found = verify(app, other.id);
    EXPECT_FALSE(found.broken);
    EXPECT_EQ(found.entries, 0);
}

TEST_F(Chained, HoldsWhereEntriesWereWrittenByOneStatement) {
    admin.execute("SET session_replication_role = origin");
    admin.execute(
        "INSERT INTO audit_log (organization_id, actor_kind, action, target_kind) "
        "SELECT '" +
        id() + "', 'system', 'thing.made', 'thing' FROM generate_series(1, 450)");
    EXPECT_EQ(broken(), "");
    admin.execute("SET session_replication_role = replica");
    change("UPDATE audit_log SET action = 'x'" + here(403));
    EXPECT_EQ(broken(), "403: its contents and its hash do not fit");
}

TEST_F(Chained, ChangeOfAnyFieldIsFound) {
    std::vector<std::pair<std::string, std::string>> const changes = {
        {"id", "gen_random_uuid()"},
        {"at", "at + interval '1 microsecond'"},
        {"at", "'infinity'"},
        {"actor_kind", "'api_key'"},
        {"actor_id", "gen_random_uuid()"},
        {"actor_id", "NULL"},
        {"actor_name", "'Eve'"},
        {"actor_name", "NULL"},
        {"action", "'thing.seen'"},
        {"target_kind", "'other'"},
        {"target_id", "'9'"},
        {"before", "'{\"a\": 9}'"},
        {"before", "NULL"},
        {"after", "'{\"a\": 9}'"},
        {"address", "'::2'"},
        {"address", "NULL"},
        {"request_id", "'r-4'"},
        {"request_id", "''"},
        {"hash", "sha256('x')"},
        {"(before, after)", "(after, before)"},
        {"(action, target_kind)", "('thing.change', 'dthing')"},  // the same bytes, cut elsewhere
    };
    for (auto const& [column, value] : changes) {
        auto const kept = admin.query("SELECT audit_log::text FROM audit_log" + here(3))[0][0].value();
        change("UPDATE audit_log SET " + column + " = " + value + here(3));
        EXPECT_EQ(broken(), "3: its contents and its hash do not fit") << column << " = " << value;
        admin.execute("DELETE FROM audit_log" + here(3));
        admin.query("INSERT INTO audit_log SELECT ($1::audit_log).*", {kept});
        ASSERT_EQ(broken(), "");
    }
    change("UPDATE audit_log SET previous_hash = sha256('x')" + here(3));
    EXPECT_EQ(broken(), "3: the hash of the entry before it is another one");
}

TEST_F(Chained, EntryThatWentElsewhereIsFoundInBothPlaces) {
    Tenant const other;
    change("UPDATE audit_log SET organization_id = '" + other.id.to_string() + "'" + here(1));
    EXPECT_EQ(broken(), "1: it is missing: the next one is 2");
    postgres::Session app(database().app());
    auto const found = verify(app, other.id);
    EXPECT_EQ(found.broken.value().problem, "its contents and its hash do not fit");
}

TEST_F(Chained, MissingEntryIsFound) {
    change("DELETE FROM audit_log" + here(3));
    EXPECT_EQ(broken(), "3: it is missing: the next one is 4");
}

TEST_F(Chained, MissingEndIsFound) {
    change("DELETE FROM audit_log" + here(5));
    EXPECT_EQ(broken(), "5: it is missing: there should be 5");
    change("DELETE FROM audit_log WHERE organization_id = '" + id() + "'");
    EXPECT_EQ(broken(), "1: it is missing: there should be 5");
}

TEST_F(Chained, MissingEndIsFoundWhereTheHeadWasSetBack) {
    change("DELETE FROM audit_log" + here(5));
    change("UPDATE audit_heads SET seq = 4 WHERE organization_id = '" + id() + "'");
    EXPECT_EQ(broken(), "4: it is the last one, and the head of the chain has another hash");
    change("DELETE FROM audit_heads WHERE organization_id = '" + id() + "'");
    EXPECT_EQ(broken(), "4: it is the last one, and the chain has no head that says so");
}

TEST_F(Chained, EntryBeyondTheEndIsFound) {
    change("UPDATE audit_heads SET seq = 4 WHERE organization_id = '" + id() + "'");
    EXPECT_EQ(broken(), "5: there should be 4 only");
}

TEST_F(Chained, OtherOrderIsFound) {
    for (auto const& [from, to] : {std::pair{2, 99}, std::pair{3, 2}, std::pair{99, 3}})
        change("UPDATE audit_log SET seq = " + std::to_string(to) + here(from));
    EXPECT_EQ(broken(), "2: the hash of the entry before it is another one");
    change("UPDATE audit_log SET seq = 0" + here(1));
    EXPECT_EQ(broken(), "1: it is missing: the next one is 0");
}

TEST_F(Chained, ChainMadeAnewAsAWholeIsFoundByWhoKnewTheOldOne) {
    auto const hash = admin.value("SELECT encode(hash, 'hex') FROM audit_log" + here(5)).value();
    std::string bytes;
    for (std::size_t i = 0; i < hash.size(); i += 2)
        bytes += static_cast<char>(std::stoi(hash.substr(i, 2), nullptr, 16));
    Known const known{.entries = 5, .hash = bytes};
    EXPECT_EQ(broken(known), "");
    change("DELETE FROM audit_log WHERE organization_id = '" + id() + "'");
    change("DELETE FROM audit_heads WHERE organization_id = '" + id() + "'");
    EXPECT_EQ(broken(), "") << "nothing is left that could tell";
    EXPECT_EQ(broken(known), "1: it is missing: there were 5 before");
    admin.execute("SET session_replication_role = origin");
    admin.execute(
        "INSERT INTO audit_log (organization_id, actor_kind, action, target_kind) "
        "SELECT '" +
        id() + "', 'system', 'thing.made', 'thing' FROM generate_series(1, 6)");
    EXPECT_EQ(broken(), "");
    EXPECT_EQ(broken(known), "5: its hash was another one before");
}

TEST(EachOrganization, IsFoundByItsSlugOrItsId) {
    Tenant const tenant;
    postgres::Session(database().admin())
        .query("UPDATE organizations SET slug = 'by-slug' WHERE id = $1::uuid", {tenant.id.to_string()});
    postgres::Session system(database().system());
    for (auto const& name : {std::string("by-slug"), tenant.id.to_string()}) {
        std::vector<OrganizationId> found;
        EXPECT_EQ(each_organization(system, name, [&](OrganizationId id, std::string const&) { found.push_back(id); }),
                  1U);
        EXPECT_EQ(found, std::vector{tenant.id});
    }
    EXPECT_EQ(each_organization(system, "nobody", [](OrganizationId, std::string const&) { FAIL(); }), 0U);
    bool seen = false;
    each_organization(system, "", [&](OrganizationId id, std::string const&) { seen |= id == tenant.id; });
    EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace buildplan::audit
