// Attacks through what a request says: its path, query, headers and body. The attacker has an organization of their own
// and all rights in it.
#include <ranges>

#include "tests/isolation/attack.hpp"

namespace buildplan::isolation {
namespace {

using AttackOnInput = Attack;

TEST_F(AttackOnInput, IdInTheBodyAgainstTheIdInThePath) {
    auto const owner = attacker_owner();
    auto const ours = "/v1/workspaces/" + attacker.workspace;
    for (auto const& body : Strings{R"({"id": ")" + victim.workspace + R"(", "name": "Taken"})",
                                    R"({"workspaceId": ")" + victim.workspace + R"(", "name": "Taken"})",
                                    R"({"name": "Taken", "organizationId": ")" + victim.organization + R"("})",
                                    R"({"name": "Taken", "organization_id": ")" + victim.organization + R"("})",
                                    R"({"name": "Taken", "organization": {"id": ")" + victim.organization + R"("}})"}) {
        EXPECT_EQ(ask(owner, "PATCH", ours, body).status, 422) << body;
        EXPECT_EQ(ask(owner, "POST", "/v1/workspaces", body).status, 422) << body;
    }
    // The other way round: the path names theirs, the body ours.
    EXPECT_EQ(ask(owner, "PATCH", "/v1/workspaces/" + victim.workspace, R"({"name": "Taken"})").status, 404);
    EXPECT_EQ(
        ask(owner, "DELETE", "/v1/organizations/" + victim.organization, R"({"confirm": ")" + attacker.slug + R"("})")
            .status,
        404);
    EXPECT_EQ(
        ask(owner, "DELETE", "/v1/organizations/" + attacker.organization, R"({"confirm": ")" + victim.slug + R"("})")
            .status,
        422);
}

TEST_F(AttackOnInput, MergePatchOfTheOrganization) {
    auto const owner = attacker_owner();
    auto const ours = "/v1/organizations/" + attacker.organization;
    for (auto const& body : Strings{
             R"({"id": ")" + victim.organization + R"("})", R"({"organizationId": ")" + victim.organization + R"("})",
             R"({"organization_id": ")" + victim.organization + R"("})", std::string(R"({"limits": {"api": -1}})"),
             std::string(R"({"version": 1})"), std::string(R"({"deletedAt": null})"), std::string(R"({"slug": null})"),
             std::string(R"({"settings": null})"), std::string(R"({"settings": []})"), std::string("[]"),
             std::string("null")}) {
        EXPECT_TRUE(ask(owner, "PATCH", ours, body).status == 422) << body;
    }
    // Settings are anybody's words, and stay words.
    auto const kept = ask(owner, "PATCH", ours,
                          R"({"settings": {"organization_id": ")" + victim.organization +
                              R"(", "limits": {"api": -1}, "__proto__": {"role": "OWNER"}}})");
    EXPECT_EQ(kept.status, 200) << kept.body;
    EXPECT_EQ(kept.text("id"), attacker.organization);
    EXPECT_TRUE(kept.json().at("limits").as_object().empty()) << kept.body;
    expect_marks_of(ask(owner, "GET", "/v1/workspaces"), &attacker);
}

TEST_F(AttackOnInput, JsonPointersAndDuplicateKeys) {
    auto const owner = attacker_owner();
    auto const ours = "/v1/workspaces/" + attacker.workspace;
    for (auto const& body : Strings{
             R"({"name": "One", "name": "Two"})", R"({"name": "One", "na\u006de": "Two"})", R"({"/name": "One"})",
             R"({"": {"name": "One"}})", R"({"name": {"name": "One"}})", R"({"name/": "One"})", R"({"~0name": "One"})",
             R"([{"op": "replace", "path": "/organizationId", "value": "x"}])", R"({"name": "One"} {"name": "Two"})",
             R"({"name": "One",})", R"({"name": "One"}//)", R"({name: "One"})", R"({"name": "\ud800"})"}) {
        auto const answer = ask(owner, "PATCH", ours, body);
        EXPECT_TRUE(answer.status == 400 || answer.status == 422) << body << '\n' << answer.body;
    }
    // A pointer in an answer is escaped (RFC 6901 section 3), so it points to what was sent and nowhere else.
    auto const refused = ask(owner, "PATCH", ours, R"({"a/b~c": 1})");
    EXPECT_EQ(refused.status, 422);
    EXPECT_NE(refused.body.find("/a~1b~0c"), std::string::npos) << refused.body;
    // Not a JSON Patch either, whose pointers could go anywhere.
    EXPECT_EQ(server->ask("PATCH", ours, owner + "Content-Type: application/json-patch+json\r\n", "[]").status, 415);
}

TEST_F(AttackOnInput, TenantInTheQuery) {
    auto const owner = attacker_owner();
    for (auto const& table : features::route_tables()) {
        for (auto const& route : table) {
            if (to_text(route.method) != "GET") continue;
            for (auto const& name :
                 Strings{"organizationId", "organization_id", "org", "tenant", "app.current_organization_id"}) {
                auto const target = fmt::format("{}?{}={}", attacker.target(route.path), name, victim.organization);
                auto const answer = ask(owner, "GET", target, {}, "Connection: close\r\n");
                EXPECT_LT(answer.status, 500) << target << answer.body;
                EXPECT_EQ(answer.body.find(victim.workspace), std::string::npos) << target;
                expect_marks_of(answer, &attacker);
                if (route.query) EXPECT_EQ(answer.status, 422) << target;
            }
        }
    }
}

TEST_F(AttackOnInput, HeaderSmuggling) {
    auto const owner = attacker_owner();
    auto const victims = as(victim.owner, victim);
    for (auto const& header : Strings{
             "X-Organization-Id: " + victim.organization, "X-Tenant-Id: " + victim.organization,
             "X-Org: " + victim.organization, "X-User-Id: " + victim.owner.id.to_string(),
             "X-Forwarded-User: " + victim.owner.id.to_string(), "X-Forwarded-For: 127.0.0.1",
             "X-Forwarded-Host: " + victim.slug + ".example.com", "X-Original-URL: /v1/workspaces/" + victim.workspace,
             "X-Rewrite-URL: /v1/workspaces/" + victim.workspace, std::string("X-HTTP-Method-Override: DELETE"),
             std::string("Forwarded: for=127.0.0.1;proto=https"),
             "Cookie: bp_access=" + victims.substr(22, victims.size() - 24),
             "Cookie: __Host-bp_access=" + victims.substr(22, victims.size() - 24)}) {
        auto const answer = ask(owner, "GET", "/v1/workspaces", {}, header + "\r\n");
        EXPECT_EQ(answer.status, 200) << header << answer.body;
        EXPECT_EQ(marks_in(answer.body), std::set{attacker.mark}) << header;
        EXPECT_EQ(ask("", "DELETE", "/v1/workspaces/" + victim.workspace, {}, header + "\r\n").status / 100, 4)
            << header;
    }
    // Two who ask at once are nobody, in whatever order and case.
    for (auto const& both : Strings{owner + victims, victims + owner, owner + "aUTHORIZATION: " + victims.substr(15)}) {
        EXPECT_EQ(ask(both, "GET", "/v1/workspaces").status, 400);
    }
    EXPECT_EQ(ask(owner, "GET", "/v1/workspaces", {}, "Host: elsewhere\r\n").status, 400);
    for (auto const& folded : Strings{"X-A: b\r\n " + victims, "X-A: b\r\n\t" + victims, "X-A : b\r\n" + victims}) {
        EXPECT_EQ(ask("", "GET", "/v1/workspaces", {}, folded).status, 400);
    }
    // A second request hidden in what two readers would measure differently.
    auto const hidden = "GET /v1/workspaces HTTP/1.1\r\nHost: test\r\n" + victims + "\r\n";
    auto client = server->connect();
    client.send("GET", "/v1/workspaces", owner + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "");
    EXPECT_EQ(client.receive().status, 400);
    EXPECT_EQ(marks_in(client.rest()), std::set<std::string>{});
    // A path that would be a header.
    EXPECT_EQ(ask(owner, "GET", "/v1/workspaces%0d%0a" + hidden.substr(0, 3)).status / 100, 4);
}

TEST_F(AttackOnInput, SqlInEveryString) {
    auto const owner = attacker_owner();
    std::vector<std::string> const payloads = {
        "'",
        "\"",
        "\\",
        "';--",
        "' OR '1'='1",
        "') OR true --",
        "$$; DELETE FROM workspaces; $$",
        "%",
        "_%",
        "'; DROP TABLE workspaces; --",
        "1; SELECT pg_sleep(9)",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "$1",
        "NULL",
        "' UNION SELECT slug FROM organizations --",
        "\x01\x1f",
        "x'::regclass",
        "'; SELECT set_config('app.current_organization_id', '" + victim.organization + "', false); --"};
    auto const payloads_in = [&](boost::json::object const& example, std::size_t most, auto const& send) {
        for (auto const& [key, was] : example) {
            if (!was.is_string() && !was.is_array()) continue;
            for (auto const& payload : payloads | std::views::take(most)) {
                auto body = example;
                body[key] =
                    was.is_array() ? boost::json::value(boost::json::array{payload}) : boost::json::value(payload);
                send(boost::json::serialize(body));
            }
        }
    };
    std::size_t sent = 0;
    auto const look = [&](HttpAnswer const& answer, std::string const& what) {
        ++sent;
        EXPECT_LT(answer.status, 500) << what << '\n' << answer.body;
        expect_marks_of(answer, &attacker);
    };
    for (auto const& table : features::route_tables()) {
        for (auto const& route : table) {
            SCOPED_TRACE(route.path);
            std::string const method{to_text(route.method)};
            // Ending the attack itself is not what is tried.
            if (route.path.starts_with("/auth/logout") || route.path == "/v1/members/me") continue;
            if (!route.body_example.empty()) {
                // Each password is hashed, which takes long on purpose.
                auto const most = route.path.starts_with("/auth/") ? 5UZ : payloads.size();
                payloads_in(boost::json::parse(route.body_example).as_object(), most, [&](std::string const& body) {
                    // One that would end the organization is aimed at none.
                    auto const target = route.access.permission == "org.delete" ? victim.target(route.path)
                                                                                : attacker.target(route.path);
                    look(ask(owner, method, target, body), method + ' ' + target + ' ' + body);
                });
            }
            if (route.method != api::Method::get) continue;
            for (auto const& payload : payloads) {
                std::string encoded;
                for (char const c : payload) encoded += fmt::format("%{:02x}", static_cast<unsigned char>(c));
                std::vector<std::string> targets;
                if (route.query) {
                    for (auto const& name : Strings{"q", "action", "target", "state", "role", "archived"})
                        targets.push_back(attacker.target(route.path) + '?' + name + '=' + encoded);
                }
                if (!route.sorts.empty()) {
                    targets.push_back(attacker.target(route.path) + "?sort=" + encoded);
                    targets.push_back(attacker.target(route.path) + "?cursor=" + encoded);
                    targets.push_back(attacker.target(route.path) + "?limit=" + encoded);
                }
                auto in_path = std::string(route.path);
                for (auto open = in_path.find('{'); open != std::string::npos; open = in_path.find('{'))
                    in_path.replace(open, in_path.find('}', open) - open + 1, encoded);
                if (in_path != route.path) targets.push_back(in_path);
                for (auto const& target : targets)
                    look(ask(owner, method, target, {}, "Connection: close\r\n"), target);
            }
        }
    }
    for (auto const& payload : payloads) {
        std::string printable;
        for (char const c : payload) printable += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        for (auto const& header : Strings{"Idempotency-Key", "If-Match", "If-None-Match", "X-Request-Id", "User-Agent",
                                          "traceparent", "Cookie", "Accept", "X-Forwarded-For"}) {
            look(ask(owner, "POST", "/v1/workspaces", R"({"name": "Said"})",
                     fmt::format("{}: {}\r\n", header, printable)),
                 header + (": " + printable));
        }
    }
    EXPECT_GT(sent, 500U);
    EXPECT_EQ(ask(as(victim.owner, victim), "GET", "/v1/workspaces").status, 200);
}

TEST_F(AttackOnInput, OversizedAndNul) {
    auto const owner = attacker_owner();
    auto const create = [&](std::string const& body) { return ask(owner, "POST", "/v1/workspaces", body); };
    EXPECT_EQ(create(R"({"name": "a\u0000b"})").status, 422);
    EXPECT_TRUE(create("{\"name\": \"a" + std::string(1, '\0') + "b\"}").status == 400);
    EXPECT_EQ(create(R"({"name": ")" + std::string(201, 'x') + R"("})").status, 422);
    EXPECT_EQ(create(R"({"name": "ok", "description": ")" + std::string(10'001, 'x') + R"("})").status, 422);
    EXPECT_EQ(create("{\"name\": \"\xff\xfe\"}").status / 100, 4);
    EXPECT_EQ(create(std::string(5'000, '[') + std::string(5'000, ']')).status / 100, 4);
    EXPECT_EQ(create(R"({"name": )" + std::string(100'000, '9') + "}").status / 100, 4);
    // Too long to be read to its end: the length alone is refused.
    auto client = server->connect();
    client.send("POST", "/v1/workspaces", owner + media("POST") + "Content-Length: 999999999999\r\nX-A: ", "");
    EXPECT_EQ(client.receive().status / 100, 4);
    EXPECT_EQ(ask(owner, "GET", "/v1/workspaces", {}, "X-A: " + std::string(70'000, 'x') + "\r\n").status, 431);
    EXPECT_EQ(ask(owner, "GET", "/v1/workspaces?sort=" + std::string(20'000, 'x')).status / 100, 4);
    for (auto const& target :
         Strings{"/v1/workspaces/%00", "/v1/workspaces%00", "/v1/workspaces?sort=%00", "/v1/members?q=a%00b",
                 "/v1/workspaces?cursor=%00", "/v1/audit-log?action=%00", "/v1/workspaces?limit=-1",
                 "/v1/workspaces?limit=99999999999999999999", "/v1/workspaces?limit=1e2", "/v1/workspaces?limit=0"}) {
        EXPECT_EQ(ask(owner, "GET", target).status / 100, 4) << target;
    }
    EXPECT_EQ(ask(owner, "GET", "/v1/workspaces", {}, "Idempotency-Key: " + std::string(300, 'k') + "\r\n").status,
              200);
    EXPECT_EQ(
        ask(owner, "POST", "/v1/workspaces", R"({"name": "ok"})", "Idempotency-Key: " + std::string(300, 'k') + "\r\n")
            .status,
        400);
    EXPECT_EQ(ask("Authorization: Bearer " + std::string(9'000, 'a') + "\r\n", "GET", "/v1/workspaces").status, 401);
}

TEST_F(AttackOnInput, PathTraversalAndEncodedSlashes) {
    auto const owner = attacker_owner();
    auto const theirs = victim.workspace, ours = attacker.workspace;
    for (auto const& path : Strings{"/v1/workspaces/" + ours + "/../" + theirs,
                                    "/v1/workspaces/" + ours + "/%2e%2e/" + theirs,
                                    "/v1/workspaces/" + ours + "%2f..%2f" + theirs,
                                    "/v1/workspaces/" + ours + "%2F" + theirs,
                                    "/v1/workspaces/" + ours + "%5c" + theirs,
                                    "/v1/workspaces/" + ours + ";" + theirs,
                                    "/v1/workspaces/" + ours + "," + theirs,
                                    "/v1/workspaces/" + ours + "%00" + theirs,
                                    "/v1/workspaces/" + ours + "?" + theirs + "/..",
                                    "/v1/workspaces/{" + theirs + "}",
                                    "/v1/workspaces/urn:uuid:" + theirs,
                                    "/v1//workspaces/" + theirs,
                                    "//v1/workspaces/" + theirs,
                                    "/v1/workspaces/" + theirs + "/",
                                    "/V1/workspaces/" + theirs,
                                    "/v1/workspaces/" + theirs + ".json",
                                    "/v1/workspaces/%25" + theirs,
                                    "/v1/organizations/" + victim.organization + "/workspaces/" + theirs,
                                    "/v1/./workspaces/" + theirs,
                                    "/v1/workspaces/" + theirs + "%20",
                                    "/../etc/passwd",
                                    "/docs/../../etc/passwd",
                                    "/docs/%2e%2e/%2e%2e/etc/passwd",
                                    "/docs/..%2f..%2fetc%2fpasswd"}) {
        auto const answer = ask(owner, "GET", path);
        EXPECT_NE(answer.status / 100, 5) << path;
        expect_marks_of(answer, &attacker);
        EXPECT_EQ(answer.body.find("root:"), std::string::npos) << path;
        EXPECT_TRUE(answer.status != 200 || path.find('?') != std::string::npos) << path << answer.body;
    }
}

}  // namespace
}  // namespace buildplan::isolation
