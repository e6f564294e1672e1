// For the isolation suite: organizations that have something of everything, each with a mark in every text that is
// theirs, so that whoever is shown a mark that is not their own has seen what they must not; and the whole database as
// one text, so that "nothing has changed" means every column of every row of every table.
#pragma once

#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "core/crypto.hpp"
#include "core/random.hpp"
#include "features/test_people.hpp"

namespace buildplan::isolation {

using api::testing::HttpAnswer;
using api::testing::HttpClient;
using features::testing::KeyHolder;
using features::testing::Person;
using features::testing::Product;
using Strings = std::vector<std::string>;

// The superuser, whom no policy holds.
using api::testing::superuser;
inline std::string value(std::string const& sql, std::initializer_list<std::string> parameters = {}) {
    return superuser().value(sql, parameters).value_or("");
}

// What may change because somebody asks, by table; "*" for the whole table. Everything else may not.
inline std::map<std::string, std::vector<std::string>, std::less<>> const changed_by_asking = {
    {"api_keys", {"last_used_at"}},
    {"sessions", {"last_used_at"}},
    {"usage", {"api_calls", "updated_at"}},
    {"usage_meters", {"*"}},
};

// A mark is "mark-" and hexadecimal digits: it can stand in a name, a slug and an email address.
inline constexpr std::string_view mark_start = "mark-";
inline std::string make_mark() { return std::string(mark_start) + to_hex(random_bytes(8)); }
inline std::set<std::string> marks_in(std::string_view text) {
    std::set<std::string> found;
    for (auto at = text.find(mark_start); at != std::string_view::npos; at = text.find(mark_start, at + 1)) {
        found.emplace(text.substr(at, mark_start.size() + 16));
    }
    return found;
}

// An organization, its people and one of each thing that it can have.
struct House {
    std::string mark = make_mark();
    KeyHolder keys{};  // with a service's key that may do everything
    Person owner{keys, "OWNER"};
    Person viewer{keys, "VIEWER"};
    std::string organization = keys.id.to_string();
    std::string slug = mark;
    std::string member, workspace, invitation, api_key, job;
    std::string invitation_token = "bp_inv_" + base64url(random_bytes(32));

    House() {
        superuser().query("UPDATE organizations SET name = $2, slug = $2 WHERE id = $1::uuid", {organization, mark});
        superuser().query(
            "UPDATE users SET name = $2, email = $2 || '-' || left($1::text, 8) || '@example.com', "
            "email_verified = true WHERE id = $1::uuid",
            {owner.id.to_string(), mark});
        superuser().query(
            "UPDATE users SET name = $2, email = $2 || '-viewer@example.com', email_verified = true "
            "WHERE id = $1::uuid",
            {viewer.id.to_string(), mark});
        member = value("SELECT id FROM organization_members WHERE organization_id = $1::uuid AND user_id = $2::uuid",
                       {organization, owner.id.to_string()});
        workspace = make("workspaces (organization_id, name, slug, description)", "mark, mark, mark");
        api_key = make("api_keys (organization_id, kind, name, prefix, hash, scopes)",
                       "'service', mark, 'bp_svc_', sha256(convert_to(mark, 'UTF8')), '{*}'");
        invitation = value(
            "INSERT INTO invitations (organization_id, email, role, token_hash, invited_by, expires_at, "
            "sent_at, sent_count) VALUES ($1::uuid, $2 || '-guest@example.com', 'ADMIN', decode($3, "
            "'hex'), $4::uuid, now() + interval '7 days', now(), 1) RETURNING id",
            {organization, mark, to_hex(sha256(invitation_token)), owner.id.to_string()});
        make("subscriptions (organization_id, tier, stripe_customer_id)", "'PRO', mark");
        make("usage (organization_id, period, api_calls)", "date_trunc('month', now(), 'UTC'), length(mark)");
        make("audit_log (organization_id, actor_kind, actor_name, action, target_kind, target_id)",
             "'system', mark, 'workspace.created', 'workspace', mark");
        make("outbox (organization_id, topic, payload)", "'workspace.created', jsonb_build_object('name', mark)");
        // A job of theirs that died.
        job = make(
            "outbox (organization_id, topic, payload, relayed_at, queue, job, failed_at, error, attempts)",
            "'job.webhook.deliver', jsonb_build_object('name', mark), now(), 'webhook', 'deliver', now(), mark, 3");
        superuser().query(
            "INSERT INTO idempotency_keys (organization_id, key, fingerprint, status, headers, body) "
            "VALUES ($1::uuid, $2, sha256('x'), 201, '[]', convert_to($2, 'UTF8'))",
            {organization, mark});
        superuser().query(
            "INSERT INTO user_tokens (user_id, purpose, token_hash, expires_at) VALUES ($1::uuid, "
            "'verify_email', sha256(convert_to($2, 'UTF8')), now() + interval '1 day')",
            {owner.id.to_string(), mark});
    }

    // One of its ids for each parameter that a path can have.
    [[nodiscard]] std::string id_for(std::string_view parameter) const {
        if (parameter == "organizationId") return organization;
        if (parameter == "workspaceId") return workspace;
        if (parameter == "memberId") return member;
        if (parameter == "invitationId") return invitation;
        if (parameter == "apiKeyId") return api_key;
        if (parameter == "jobId") return job;
        if (parameter == "queue:slug") return "webhook";
        if (parameter == "sessionId") return owner.session.to_string();
        ADD_FAILURE() << "a House has no {" << parameter << "}: give it one";
        return "unknown";
    }
    [[nodiscard]] std::string target(std::string_view path) const {
        std::string out{path};
        for (auto open = out.find('{'); open != std::string::npos; open = out.find('{')) {
            auto const close = out.find('}', open);
            out.replace(open, close - open + 1, id_for(out.substr(open + 1, close - open - 1)));
        }
        return out;
    }
    // A body of a route that names this house wherever it can name one.
    [[nodiscard]] std::string body(std::string_view example) const {
        if (example.empty()) return {};
        auto all = boost::json::parse(example);
        for (auto& [key, one] : all.as_object()) {
            if (key == "organizationId") one = organization;
            if (key == "confirm") one = slug;
            if (key == "token") one = invitation_token;
        }
        return boost::json::serialize(all);
    }
    // Takes it out of the database, so that what is compared stays small.
    ~House() {
        // What they founded while they were asked for goes with them.
        superuser().query(
            "DELETE FROM organizations WHERE id = $1::uuid OR id IN (SELECT organization_id FROM organization_members "
            "WHERE role = 'OWNER' AND user_id IN ($2::uuid, $3::uuid))",
            {organization, owner.id.to_string(), viewer.id.to_string()});
        superuser().query("DELETE FROM users WHERE id IN ($1::uuid, $2::uuid)",
                          {owner.id.to_string(), viewer.id.to_string()});
        superuser().query("DELETE FROM outbox WHERE organization_id = $1::uuid", {organization});
        superuser().query("DELETE FROM idempotency_keys WHERE organization_id = $1::uuid", {organization});
    }
    House(House const&) = delete;
    House& operator=(House const&) = delete;
    // Its rows, and those of its people.
    [[nodiscard]] std::string rows() const;

private:
    std::string make(std::string const& table, std::string const& values) const {
        return value("INSERT INTO " + table + " SELECT organization, " + values +
                         " FROM (SELECT $1::uuid AS organization, $2::text AS mark) AS house RETURNING id",
                     {organization, mark});
    }
};

namespace detail {

// Rows of all tables, each as JSON, one a line; with `where`, only those of which it is true: of `name`, the table's,
// and `fields`, an object.
inline std::string rows_of_all_tables(std::string const& where, std::initializer_list<std::string> parameters) {
    static auto const tables = [] {
        Strings names;
        for (auto const& row : superuser().query("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND "
                                                 "relnamespace = 'public'::regnamespace ORDER BY relname")) {
            names.push_back(row[0].value_or(""));
        }
        return names;
    }();
    std::string sql;
    for (auto const& table : tables) {
        std::string without;
        auto const found = changed_by_asking.find(table);
        if (found != changed_by_asking.end()) {
            if (found->second.front() == "*") continue;
            for (auto const& column : found->second) without += " - '" + column + "'";
        }
        if (!sql.empty()) sql += " UNION ALL ";
        sql += fmt::format("SELECT '{0}' AS name, to_jsonb(t){1} AS fields FROM {0} t", table, without);
    }
    sql =
        "SELECT string_agg(line, E'\\n' ORDER BY line COLLATE \"C\") FROM (SELECT name || ' ' || fields::text AS line "
        "FROM (" +
        sql + ") AS every_row WHERE " + where + ") AS wanted";
    return value(sql, parameters);
}

}  // namespace detail

inline std::string whole_database() { return detail::rows_of_all_tables("true", {}); }
inline std::string House::rows() const {
    return detail::rows_of_all_tables(
        "fields ->> 'organization_id' = $1 OR name = 'organizations' AND fields ->> 'id' = $1 OR fields ->> 'user_id' "
        "IN ($2, "
        "$3) "
        "OR name = 'users' AND fields ->> 'id' IN ($2, $3)",
        {organization, owner.id.to_string(), viewer.id.to_string()});
}

// What is in one text and not in the other, by lines: for a failure's message.
inline std::string difference(std::string const& before, std::string const& after) {
    auto const lines = [](std::string const& text) {
        std::multiset<std::string> all;
        std::istringstream in{text};
        for (std::string line; std::getline(in, line);) all.insert(line);
        return all;
    };
    auto const was = lines(before), is = lines(after);
    std::vector<std::string> gone, come;
    std::ranges::set_difference(was, is, std::back_inserter(gone));
    std::ranges::set_difference(is, was, std::back_inserter(come));
    std::string out;
    for (auto const& line : gone) out += "\n- " + line;
    for (auto const& line : come) out += "\n+ " + line;
    return out;
}
inline void expect_unchanged(std::string const& before, std::string const& after) {
    EXPECT_TRUE(before == after) << difference(before, after);
}

// Nothing in an answer is anybody's but `who`'s; without one, nobody's.
inline void expect_marks_of(HttpAnswer const& answer, House const* who) {
    std::string text = answer.body;
    for (auto const& [name, field] : answer.headers) text += '\n' + field;
    for (auto const& mark : marks_in(text)) {
        EXPECT_TRUE(who && mark == who->mark) << "a foreign mark: " << mark << " in " << text;
    }
}

inline std::string media(std::string_view method) {
    return method == "PATCH" ? "Content-Type: application/merge-patch+json\r\n" : "Content-Type: application/json\r\n";
}

}  // namespace buildplan::isolation
