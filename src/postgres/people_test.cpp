// What the schema itself holds about people, whoever writes to it: who is seen, that an owner stays, that the audit log
// is only added to.
#include <gtest/gtest.h>

#include <future>

#include "postgres/session.hpp"
#include "postgres/test_database.hpp"

namespace buildplan::postgres {
namespace {

using test_support::MigratedDatabase;

class People : public testing::Test {
protected:
    static constexpr auto ours = "00000000-0000-7000-8000-00000000000a";
    static constexpr auto theirs = "00000000-0000-7000-8000-00000000000b";
    static constexpr auto ada = "00000000-0000-7000-8000-0000000000a1";
    static constexpr auto bob = "00000000-0000-7000-8000-0000000000b1";
    static constexpr auto eve = "00000000-0000-7000-8000-0000000000e1";

    People() {
        for (auto const* const id : {ours, theirs})
            system.query(
                "INSERT INTO organizations (id, name, slug) VALUES ($1::uuid, 'O', 'o-' || right($1::text, 1))", {id});
        for (auto const* const id : {ada, bob, eve})
            system.query(
                "INSERT INTO users (id, email, name, password_hash) "
                "VALUES ($1::uuid, right($1::text, 2) || '@Example.com', 'N', 'x')",
                {id});
        join(ours, ada, "OWNER");
        join(ours, bob, "OWNER");
        join(theirs, eve, "OWNER");
    }
    void join(char const* organization, char const* user, char const* role) {
        system.query(
            "INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1::uuid, $2::uuid, $3)",
            {organization, user, role});
    }
    [[nodiscard]] Session app(char const* organization = ours,
                              std::string const& actor = "system\x1f\x1fTest\x1f\x1f") const {
        Session session(database.app());
        session.query("SELECT set_config('app.current_organization_id', $1, false)", {organization});
        session.query("SELECT set_config('app.actor', $1, false)", {actor});
        return session;
    }
    static std::string sqlstate_of(Session& session, std::string const& sql) {
        try {
            session.execute(sql);
        } catch (ServerError const& error) {
            return error.sqlstate;
        }
        return "";
    }

    MigratedDatabase database;
    Session system{database.system()};
    Session admin{database.admin()};
};

TEST_F(People, AreSeenWhereTheyAreMembersAndWithoutTheirSecrets) {
    auto us = app();
    EXPECT_EQ(us.value("SELECT string_agg(email, ' ' ORDER BY id) FROM users"), "a1@Example.com b1@Example.com");
    EXPECT_EQ(us.value("SELECT count(*) FROM users WHERE email_lc = 'e1@example.com'"), "0");
    EXPECT_EQ(sqlstate_of(us, "SELECT password_hash FROM users"), "42501");
    EXPECT_EQ(sqlstate_of(us, "SELECT mfa_secret FROM users"), "42501");
    EXPECT_EQ(sqlstate_of(us, "UPDATE users SET name = 'X'"), "42501");
    us.query("DELETE FROM organization_members WHERE user_id = $1::uuid", {bob});
    EXPECT_EQ(us.value("SELECT string_agg(email, ' ') FROM users"), "a1@Example.com");
}

TEST_F(People, HaveAnAddressOnceWhateverItsCase) {
    EXPECT_EQ(sqlstate_of(system, "INSERT INTO users (email, name, password_hash) VALUES ('A1@example.COM', 'N', 'x')"),
              "23505");
}

TEST_F(People, AppRoleReachesNothingThatSignsIn) {
    auto us = app();
    for (auto const* const table : {"sessions", "user_tokens", "signing_keys"})
        EXPECT_EQ(sqlstate_of(us, std::string("SELECT 1 FROM ") + table), "42501") << table;
    EXPECT_EQ(sqlstate_of(us, "SELECT token_hash FROM invitations"), "42501");
    EXPECT_EQ(sqlstate_of(us, "UPDATE subscriptions SET tier = 'ENTERPRISE'"), "42501");
    EXPECT_EQ(sqlstate_of(us, "INSERT INTO organization_members (organization_id, user_id) VALUES ('" +
                                  std::string(ours) + "', '" + eve + "')"),
              "42501");
}

TEST_F(People, LastOwnerStays) {
    auto us = app();
    us.query("UPDATE organization_members SET role = 'ADMIN' WHERE user_id = $1::uuid", {bob});
    for (std::string const sql :
         {"UPDATE organization_members SET role = 'VIEWER'", "DELETE FROM organization_members"}) {
        us.execute("BEGIN");
        us.execute(sql);
        EXPECT_EQ(sqlstate_of(us, "COMMIT"), "23514") << sql;
    }
    EXPECT_EQ(admin.value("SELECT count(*) FROM organization_members WHERE role = 'OWNER'"), "2");
    EXPECT_EQ(sqlstate_of(admin, "DELETE FROM users"), "23514") << "nor with the account";
}

TEST_F(People, OwnershipChangesHandsWithinATransaction) {
    auto them = app(theirs);
    join(theirs, bob, "MEMBER");
    them.execute("BEGIN");
    them.query("UPDATE organization_members SET role = 'ADMIN' WHERE user_id = $1::uuid", {eve});
    them.query("UPDATE organization_members SET role = 'OWNER' WHERE user_id = $1::uuid", {bob});
    them.execute("COMMIT");
}

TEST_F(People, TwoOwnersWhoTakeEachOtherAwayAtTheSameTimeDoNotBothSucceed) {
    auto one = app();
    auto other = app();
    one.execute("BEGIN");
    other.execute("BEGIN");
    one.query("UPDATE organization_members SET role = 'MEMBER' WHERE user_id = $1::uuid", {ada});
    other.query("UPDATE organization_members SET role = 'MEMBER' WHERE user_id = $1::uuid", {bob});
    one.execute("SET CONSTRAINTS ALL IMMEDIATE");  // as a commit would, and holds the lock
    auto second = std::async(std::launch::async, [&] { return sqlstate_of(other, "COMMIT"); });
    auto const waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while (admin.value(waits) != "1")
        ASSERT_NE(second.wait_for(std::chrono::milliseconds{1}), std::future_status::ready);
    one.execute("COMMIT");
    EXPECT_EQ(second.get(), "23514");
    EXPECT_EQ(admin.value("SELECT count(*) FROM organization_members WHERE organization_id = '" + std::string(ours) +
                          "' AND role = 'OWNER'"),
              "1");
}

TEST_F(People, KeysGoWithTheMembership) {
    auto us = app();
    us.query(
        "INSERT INTO api_keys (organization_id, kind, user_id, name, prefix, hash) "
        "VALUES ($1::uuid, 'personal', $2::uuid, 'Mine', 'bp_pat_', sha256('x'))",
        {ours, bob});
    EXPECT_EQ(sqlstate_of(us, "INSERT INTO api_keys (organization_id, kind, user_id, name, prefix, hash) VALUES ('" +
                                  std::string(ours) + "', 'personal', '" + eve + "', 'X', 'bp_pat_', sha256('y'))"),
              "23503")
        << "no key for somebody who is no member";
    us.query("DELETE FROM organization_members WHERE user_id = $1::uuid", {bob});
    EXPECT_EQ(us.value("SELECT count(*) FROM api_keys"), "0");
}

TEST_F(People, InvitationIsOpenOnceForAnAddress) {
    auto us = app();
    std::string const invite = "INSERT INTO invitations (organization_id, email, token_hash, expires_at) VALUES ('" +
                               std::string(ours) + "', 'New@x.io', sha256(";
    us.execute(invite + "'1'), now() + interval '1 day')");
    EXPECT_EQ(sqlstate_of(us, invite + "'2'), now() + interval '1 day')"), "23505");
    us.execute("UPDATE invitations SET revoked_at = now()");
    us.execute(invite + "'2'), now() - interval '1 second')");
    EXPECT_TRUE(system.query("UPDATE invitations SET accepted_at = now() RETURNING id").empty()) << "revoked, expired";
}

TEST_F(People, OrganizationGoesWithAllItHasWhenItsTimeIsOver) {
    auto us = app();
    us.query("INSERT INTO audit_log (organization_id, action, target_kind) VALUES ($1::uuid, 'test.done', 'test')",
             {ours});
    system.query("INSERT INTO subscriptions (organization_id) VALUES ($1::uuid)", {ours});
    system.query("INSERT INTO usage (organization_id, period) VALUES ($1::uuid, now())", {ours});
    us.execute("UPDATE organizations SET deleted_at = now(), delete_after = now() + interval '30 days'");
    EXPECT_TRUE(system.query("DELETE FROM organizations RETURNING id").empty());
    us.execute("UPDATE organizations SET delete_after = now() - interval '1 second'");
    EXPECT_EQ(system.query("DELETE FROM organizations RETURNING id").size(), 1U);
    for (std::string const table : {"organization_members", "subscriptions", "usage", "audit_log", "audit_heads"})
        EXPECT_EQ(admin.value("SELECT count(*) FROM " + table + " WHERE organization_id = '" + std::string(ours) + "'"),
                  "0")
            << table;
    EXPECT_EQ(admin.value("SELECT count(*) FROM users"), "3");
}

TEST_F(People, AuditRowsAreChainedAndSayWho) {
    auto const record = [](Session session) {
        session.execute(
            "INSERT INTO audit_log (organization_id, action, target_kind, target_id) "
            "VALUES (current_setting('app.current_organization_id')::uuid, 'test.done', 'test', '1')");
    };
    record(app(ours, "user\x1f" + std::string(ada) +
                         "\x1f\x1f"
                         "::1\x1f"
                         "r-1"));
    record(app(theirs));
    record(app());
    EXPECT_EQ(admin.value("SELECT string_agg(seq || ' ' || actor_kind || ' ' || actor_name || ' ' || "
                          "coalesce(address || ' ' || request_id, '-'), ', ' ORDER BY seq) FROM audit_log "
                          "WHERE organization_id = '" +
                          std::string(ours) + "'"),
              "1 user a1@Example.com ::1 r-1, 2 system Test -");
    EXPECT_EQ(admin.value("SELECT count(*) FROM audit_log a JOIN audit_log b ON b.organization_id = a.organization_id "
                          "AND b.seq = a.seq + 1 AND b.previous_hash = a.hash AND b.at >= a.at"),
              "1");
    EXPECT_EQ(admin.value("SELECT string_agg(h.seq::text, ' ' ORDER BY h.seq) FROM audit_heads h "
                          "JOIN audit_log a USING (organization_id, seq, hash)"),
              "1 2");
    auto nobody = app(ours, "");
    EXPECT_EQ(sqlstate_of(nobody, "INSERT INTO audit_log (organization_id, action, target_kind) VALUES ('" +
                                      std::string(ours) + "', 'test.done', 'test')"),
              "23502");
}

TEST_F(People, AuditLogIsOnlyAddedTo) {
    auto us = app();
    us.query("INSERT INTO audit_log (organization_id, action, target_kind) VALUES ($1::uuid, 'test.done', 'test')",
             {ours});
    Session owner(database.owner());
    for (std::string const sql : {"UPDATE audit_log SET action = 'other.done'", "DELETE FROM audit_log",
                                  "TRUNCATE audit_log", "DELETE FROM audit_heads", "TRUNCATE audit_heads"}) {
        for (auto* const session : {&us, &system, &admin}) EXPECT_EQ(sqlstate_of(*session, sql), "42501") << sql;
        sqlstate_of(owner, sql);  // refused, or row security shows it nothing to change
    }
    std::string const set_back = "UPDATE audit_heads SET seq = 0";
    std::string const make = "INSERT INTO audit_heads (organization_id) VALUES ('" + std::string(theirs) + "')";
    for (auto* const session : {&us, &system}) {
        EXPECT_EQ(sqlstate_of(*session, set_back), "42501");
        EXPECT_EQ(sqlstate_of(*session, make), "42501");
    }
    EXPECT_TRUE(owner.query(set_back + " RETURNING 1").empty());
    EXPECT_EQ(sqlstate_of(owner, make), "42501");
    owner.execute("ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY");
    for (std::string const sql :
         {"UPDATE audit_log SET action = 'other.done'", "DELETE FROM audit_log", "TRUNCATE audit_log"})
        EXPECT_EQ(sqlstate_of(owner, sql), "42501") << sql;
    EXPECT_EQ(sqlstate_of(us,
                          "INSERT INTO audit_log (organization_id, action, target_kind, seq) "
                          "SELECT id, 'x', 'y', 9 FROM organizations"),
              "42501");
    EXPECT_EQ(sqlstate_of(us, "INSERT INTO audit_log (organization_id, action, target_kind) VALUES ('" +
                                  std::string(theirs) + "', 'test.done', 'test')"),
              "42501")
        << "not in another's name";
    for (std::string const values : {"repeat('x', 101), 'test'", "'', 'test'", "'test.done', repeat('x', 51)"})
        EXPECT_EQ(sqlstate_of(us, "INSERT INTO audit_log (organization_id, action, target_kind) VALUES ('" +
                                      std::string(ours) + "', " + values + ")"),
                  "23514");
    EXPECT_EQ(admin.value("SELECT count(*) FROM audit_log WHERE action = 'test.done'"), "1");
    EXPECT_EQ(admin.value("SELECT string_agg(seq::text, ' ') FROM audit_heads"), "1");
}

}  // namespace
}  // namespace buildplan::postgres
