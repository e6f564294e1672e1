// Attacks on what keeps things: the database's roles and settings, pooled connections, idempotency keys, cursors,
// ETags, caches and the audit log.
#include "postgres/test_database.hpp"
#include "tests/isolation/attack.hpp"

namespace buildplan::isolation {
namespace {

class AttackOnStores : public Attack {
protected:
    // What a statement comes to for the app role, as if somebody had got one in, in a transaction of that tenant.
    static std::string as_app(std::string const& organization, std::string const& sql) {
        postgres::Session session(api::testing::database().app());
        session.execute("BEGIN");
        session.query(
            "SELECT set_config('app.current_organization_id', $1, true), "
            "set_config('app.actor', 'system' || repeat(chr(31), 4), true)",
            {organization});
        try {
            session.execute(sql);
            session.execute("COMMIT");
            return "done";
        } catch (postgres::ServerError const& error) {
            return error.sqlstate;
        }
    }
};

constexpr auto forbidden = "42501";

TEST_F(AttackOnStores, CursorOfAnotherTenant) {
    for (auto const* const house : {&victim, &attacker}) {
        for (int i = 0; i < 3; ++i) {
            ASSERT_EQ(ask(house->keys.auth(), "POST", "/v1/workspaces", R"({"name": "More"})").status, 201);
        }
    }
    victim_changed();
    for (auto const& table : features::route_tables()) {
        for (auto const& route : table) {
            if (route.sorts.empty() || route.access.kind == api::Access::Kind::installation) continue;
            auto const target = victim.target(route.path) + "?limit=1";
            auto const theirs = ask(as(victim.owner, victim), "GET", target);
            ASSERT_EQ(theirs.status, 200) << target << theirs.body;
            if (theirs.json().at("nextCursor").is_null()) continue;
            auto const cursor = theirs.text("nextCursor");
            auto const stolen = ask(attacker_owner(), "GET", attacker.target(route.path) + "?limit=1&cursor=" + cursor);
            if (route.path != "/v1/organizations" && route.path != "/v1/sessions") {
                EXPECT_EQ(code(stolen), "invalid-cursor") << target << stolen.body;
            }
            expect_marks_of(stolen, &attacker);
            auto forged = cursor;
            forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
            EXPECT_EQ(code(ask(as(victim.owner, victim), "GET", target + "&cursor=" + forged)), "invalid-cursor");
        }
    }
}

TEST_F(AttackOnStores, IdempotencyKeyOfAnotherTenant) {
    auto const key = "Idempotency-Key: " + victim.mark + "-guessed\r\n";
    auto const body = R"({"name": "Same words"})";
    auto const theirs = ask(as(victim.owner, victim), "POST", "/v1/workspaces", body, key);
    ASSERT_EQ(theirs.status, 201) << theirs.body;
    victim_changed();
    auto const stolen = ask(attacker_owner(), "POST", "/v1/workspaces", body, key);
    ASSERT_EQ(stolen.status, 201) << stolen.body;
    EXPECT_EQ(stolen.header("Idempotent-Replayed"), "");
    EXPECT_NE(stolen.text("id"), theirs.text("id"));
    // The one that is in the house already, whose answer lies there.
    auto const guessed =
        ask(attacker_owner(), "POST", "/v1/workspaces", body, "Idempotency-Key: " + victim.mark + "\r\n");
    EXPECT_EQ(guessed.status, 201);
    EXPECT_EQ(guessed.header("Idempotent-Replayed"), "");
    // In the same organization, somebody with fewer rights does not get the answer of who has more.
    EXPECT_EQ(ask(as(victim.viewer, victim), "POST", "/v1/workspaces", body, key).status, 403);
    // Somebody without an organization has a place of their own.
    Person const nobody;
    auto const founded = ask(nobody.auth(*server, std::nullopt), "POST", "/v1/organizations", body, key);
    EXPECT_EQ(founded.status, 201) << founded.body;
}

TEST_F(AttackOnStores, ETagOfAnotherTenantsResource) {
    auto const theirs = ask(as(victim.owner, victim), "GET", "/v1/workspaces/" + victim.workspace);
    auto const etag = theirs.header("ETag");
    ASSERT_NE(etag, "");
    auto const ours = "/v1/workspaces/" + attacker.workspace;
    EXPECT_EQ(ask(attacker_owner(), "PATCH", ours, R"({"name": "Mine"})", "If-Match: " + etag + "\r\n").status, 412);
    EXPECT_EQ(ask(attacker_owner(), "DELETE", ours, {}, "If-Match: " + etag + "\r\n").status, 412);
    auto const not_modified = ask(attacker_owner(), "GET", ours, {}, "If-None-Match: " + etag + "\r\n");
    EXPECT_EQ(not_modified.status, 200);
    // It does not tell that the resource is there, either.
    for (auto const& header : Strings{"If-None-Match: " + etag + "\r\n", "If-None-Match: *\r\n" + std::string{},
                                      "If-Match: " + etag + "\r\n"}) {
        EXPECT_EQ(ask(attacker_owner(), "GET", "/v1/workspaces/" + victim.workspace, {}, header).status, 404);
        EXPECT_EQ(ask(attacker_owner(), "PATCH", "/v1/workspaces/" + victim.workspace, "{}", header).status, 404);
        EXPECT_EQ(ask(attacker_owner(), "DELETE", "/v1/workspaces/" + victim.workspace, {}, header).status, 404);
    }
}

TEST_F(AttackOnStores, CacheKeyCollision) {
    // What one is shown is not for a cache that others share, and is not kept by what the server keeps itself: twice,
    // in turns, with the same words.
    for (auto const& target : Strings{"/v1/workspaces", "/v1/usage", "/v1/subscription", "/v1/members"}) {
        for (int i = 0; i < 2; ++i) {
            auto const theirs = ask(as(victim.owner, victim), "GET", target);
            auto const mine = ask(attacker_owner(), "GET", target);
            EXPECT_EQ(theirs.status, 200) << theirs.body;
            EXPECT_EQ(mine.status, 200) << mine.body;
            expect_marks_of(mine, &attacker);
            expect_marks_of(theirs, &victim);
            auto const kept = mine.header("Cache-Control");
            EXPECT_TRUE(kept == "no-store" || kept.starts_with("private")) << target << kept;
        }
    }
    // Two keys whose names, scopes and organizations' first letters are the same are two principals.
    auto const twin = identity::make_key(identity::KeyKind::service);
    attacker.keys.add_key(twin, "*");
    EXPECT_EQ(ask(victim.keys.auth(), "GET", "/v1/workspaces/" + victim.workspace).status, 200);
    EXPECT_EQ(ask("Authorization: Bearer " + twin + "\r\n", "GET", "/v1/workspaces/" + victim.workspace).status, 404);
    // A key that differs in its last letter, in case, or goes on, is not the one that was verified.
    auto cut = victim.keys.key;
    cut.back() = cut.back() == 'A' ? 'B' : 'A';
    auto upper = victim.keys.key;
    std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    for (auto const& forged : Strings{cut, upper, victim.keys.key + "A", victim.keys.key.substr(1)}) {
        EXPECT_EQ(ask("Authorization: Bearer " + forged + "\r\n", "GET", "/v1/workspaces").status, 401) << forged;
    }
}

TEST_F(AttackOnStores, AuditLogWriteAndDelete) {
    auto const owner = as(victim.owner, victim);
    for (auto const& method : Strings{"POST", "PUT", "PATCH", "DELETE"}) {
        EXPECT_EQ(ask(owner, method, "/v1/audit-log", "{}").status, 405);
        EXPECT_TRUE(ask(owner, method, "/v1/audit-log/" + victim.workspace, "{}").status / 100 == 4);
    }
    // Somebody who could speak to the database as the app role could add what is false, but not unsay what is true.
    auto const& us = victim.organization;
    EXPECT_EQ(as_app(us, "DELETE FROM audit_log"), forbidden);
    EXPECT_EQ(as_app(us, "UPDATE audit_log SET action = 'nothing'"), forbidden);
    EXPECT_EQ(as_app(us, "TRUNCATE audit_log"), forbidden);
    EXPECT_EQ(as_app(us, "UPDATE audit_heads SET seq = 0"), forbidden);
    EXPECT_EQ(as_app(us, "DELETE FROM audit_heads"), forbidden);
    EXPECT_EQ(as_app(us, "SELECT audit_forget()"), forbidden);
    EXPECT_EQ(as_app(us, "ALTER TABLE audit_log DISABLE TRIGGER ALL"), forbidden);
    EXPECT_EQ(as_app(us, "INSERT INTO audit_log (organization_id, action, target_kind, seq) VALUES ('" + us +
                             "', 'x', 'x', 1)"),
              forbidden);
    EXPECT_EQ(as_app(us, "INSERT INTO audit_log (organization_id, action, target_kind, at) VALUES ('" + us +
                             "', 'x', 'x', '2020-01-01')"),
              forbidden);
    // Into another's chain: nothing.
    EXPECT_EQ(as_app(attacker.organization,
                     "INSERT INTO audit_log (organization_id, action, target_kind) VALUES ('" + us + "', 'x', 'x')"),
              forbidden);
    // A request cannot say that somebody else made it.
    auto const made = ask(attacker_owner(), "POST", "/v1/workspaces", R"({"name": "x\u001fuser\u001fy"})",
                          "X-Request-Id: a\x1fuser\x1f" + victim.owner.id.to_string() + "\r\n");
    EXPECT_TRUE(made.status == 201 || made.status / 100 == 4) << made.body;
    EXPECT_EQ(value("SELECT count(*) FROM audit_log WHERE organization_id = $1::uuid AND actor_id = $2::uuid",
                    {attacker.organization, victim.owner.id.to_string()}),
              "0");
}

TEST_F(AttackOnStores, SearchPathAndSettings) {
    // Words that would be a setting are words.
    for (auto const& name :
         Strings{"set_config('app.current_organization_id', '" + victim.organization + "', false)",
                 "'; SET app.current_organization_id = '" + victim.organization + "'; --", "'; SET ROLE postgres; --",
                 "'; SET search_path = pg_temp; --", "'; RESET ALL; --",
                 "'; COMMIT; BEGIN; SET LOCAL app.current_organization_id = '" + victim.organization + "'; --"}) {
        boost::json::object const body{{"name", name}, {"description", name}};
        auto const made = ask(attacker_owner(), "POST", "/v1/workspaces", boost::json::serialize(body));
        EXPECT_EQ(made.status, 201) << made.body;
        EXPECT_EQ(made.text("name"), name);
        expect_marks_of(ask(attacker_owner(), "GET", "/v1/workspaces"), &attacker);
    }
    // The app role, had somebody got a statement in, has no way around: not as another role, not by a table, function
    // or operator of its own, not by switching the policies off.
    auto const& us = attacker.organization;
    for (auto const& sql :
         Strings{"SET ROLE buildplan_system", "SET ROLE buildplan_owner", "SET ROLE postgres",
                 "CREATE TABLE public.workspaces2 (x int)",
                 "CREATE FUNCTION public.f() RETURNS int "
                 "LANGUAGE sql AS 'SELECT 1'",
                 "CREATE SCHEMA mine", "ALTER TABLE workspaces DISABLE ROW LEVEL SECURITY",
                 "DROP POLICY tenant_isolation "
                 "ON workspaces",
                 "COPY workspaces TO PROGRAM 'true'", "COPY workspaces TO '/tmp/x'", "SELECT * FROM sessions",
                 "SELECT password_hash FROM users", "SELECT * FROM signing_keys", "SELECT * FROM user_tokens",
                 "SELECT pg_read_file('/etc/passwd')", "SET session_replication_role = replica",
                 "SELECT subject FROM revocations"}) {
        EXPECT_EQ(as_app(us, sql), forbidden) << sql;
    }
    // Switched off for oneself, a policy refuses instead of letting through.
    EXPECT_EQ(as_app(us, "SET LOCAL row_security = off; SELECT * FROM workspaces"), forbidden);
    EXPECT_EQ(as_app(us, "INSERT INTO workspaces (organization_id, name, slug) VALUES ('" + victim.organization +
                             "', 'x', 'x')"),
              forbidden);
    // What temporary tables there could be is not what our statements see.
    EXPECT_NE(as_app(us, "CREATE TEMP TABLE organization_members (organization_id uuid, user_id uuid)"), "");
}

TEST_F(AttackOnStores, PooledConnectionKeepsTheTenantAfterAnError) {
    auto wishes = features::testing::product_wishes();
    wishes.exclusive_connections = 1;
    Product narrow(std::move(wishes));
    auto const expect_own = [&] {
        for (int i = 0; i < 3; ++i) {  // all the connections that there are
            auto const list = narrow.ask("GET", "/v1/workspaces", attacker.keys.auth());
            EXPECT_EQ(list.status, 200) << list.body;
            EXPECT_EQ(marks_in(list.body), std::set{attacker.mark});
            auto const one = narrow.ask("PATCH", "/v1/workspaces/" + victim.workspace, attacker.keys.merge(),
                                        R"({"name": "Taken"})");
            EXPECT_EQ(one.status, 404) << one.body;
        }
    };
    for (int round = 0; round < 3; ++round) {
        // A statement that fails, one that finds nothing, one that is refused on its way, and a reader who is gone.
        auto const taken = narrow.ask("POST", "/v1/workspaces", victim.keys.json(),
                                      R"({"name": "x", "slug": ")" + victim.mark + R"("})");
        EXPECT_EQ(taken.status, 409) << taken.body;
        expect_own();
        auto const stale = narrow.ask("PATCH", "/v1/workspaces/" + victim.workspace,
                                      victim.keys.merge() + "If-Match: \"x\"\r\n", R"({"name": "x"})");
        EXPECT_EQ(stale.status, 412) << stale.body;
        expect_own();
        auto gone = narrow.connect();
        gone.send("GET", "/v1/workspaces", victim.keys.auth(), "");
        gone.close();
        expect_own();
    }
    // Without a tenant there is no row, but an error.
    postgres::Session session(api::testing::database().app());
    EXPECT_THROW(session.query("SELECT * FROM workspaces"), postgres::ServerError);
    session.execute("BEGIN");
    session.query("SELECT set_config('app.current_organization_id', $1, true)", {victim.organization});
    EXPECT_EQ(session.query("SELECT * FROM workspaces").size(), 1U);
    session.execute("ROLLBACK");
    EXPECT_THROW(session.query("SELECT * FROM workspaces"), postgres::ServerError);
}

}  // namespace
}  // namespace buildplan::isolation
