// A crowd: fifty organizations at once over two shared connections, while backends are terminated, statements are
// cancelled and fail by themselves, and clients leave midway. Whatever goes wrong, nobody is shown a row of anybody
// else, and nothing of anybody's lies in another's rows afterwards.
//
// Every choice is made from a seed, which is printed; BUILDPLAN_TEST_SEED plays the same choices again (not the same
// interleaving), BUILDPLAN_TEST_CALLS makes more or fewer of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/isolation/world.hpp"

namespace buildplan::isolation {
namespace {

std::uint64_t from_environment(char const* name, std::uint64_t otherwise) {
    auto const* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread is there
    return text ? std::stoull(text) : otherwise;
}

constexpr std::size_t tenants = 50, clients = 8;

struct CrowdTenant {
    std::string mark = make_mark();
    KeyHolder keys{};
    Person person{keys, "ADMIN"};
    std::string token;
    std::vector<std::string> first_workspaces;

    explicit CrowdTenant(Product& server) {
        superuser().query("UPDATE organizations SET name = $2, slug = $2 WHERE id = $1::uuid",
                          {keys.id.to_string(), mark});
        superuser().query("UPDATE users SET name = $2, email = $2 || '@example.com' WHERE id = $1::uuid",
                          {person.id.to_string(), mark});
        for (int i = 0; i < 3; ++i) {
            first_workspaces.push_back(
                value("INSERT INTO workspaces (organization_id, name, slug) VALUES ($1::uuid, $2, $2 || '-' || $3) "
                      "RETURNING id",
                      {keys.id.to_string(), mark, std::to_string(i)}));
        }
        token = person.auth(server, keys.id);
    }
};

// What all clients have found out.
struct Tally {
    std::atomic<std::uint64_t> calls = 0, answers = 0, own_marks = 0, unavailable = 0, left = 0, broken = 0;
    std::mutex mutex;
    std::vector<std::string> wrong;

    void complain(std::string text) {
        std::lock_guard const lock(mutex);
        if (wrong.size() < 20) wrong.push_back(std::move(text));
    }
};

class CrowdClient {
public:
    CrowdClient(Product const& server, std::vector<std::unique_ptr<CrowdTenant>> const& everybody, Tally& tally,
                std::uint64_t seed)
        : server_(server), everybody_(everybody), tally_(tally), random_(seed) {}

    void call(std::uint64_t calls) {
        for (std::uint64_t i = 0; i < calls; ++i) {
            ++tally_.calls;
            if (one_in(60)) break_a_backend();
            auto const& me = *pick(everybody_);
            auto const& other = *pick(everybody_);
            if (one_in(40)) {
                leave_midway(me);
            } else {
                ask_something(me, other);
            }
        }
    }

private:
    std::uint64_t below(std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(0, most - 1)(random_);
    }
    bool one_in(std::uint64_t times) { return below(times) == 0; }
    template <class T>
    T const& pick(std::vector<T> const& from) {
        return from[below(from.size())];
    }

    void break_a_backend() {
        if (!admin_) admin_.emplace(api::testing::database().admin());
        auto const* const how = one_in(2) ? "pg_terminate_backend" : "pg_cancel_backend";
        admin_->query(std::string("SELECT ") + how +
                          "(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename IN "
                          "('buildplan_app', 'buildplan_system') ORDER BY hashtextextended(pid::text, $1) LIMIT 1",
                      {std::to_string(below(1'000'000))});
        ++tally_.broken;
    }

    void leave_midway(CrowdTenant const& me) {
        HttpClient gone(server_.port());
        gone.send("POST", "/v1/workspaces", auth(me) + media("POST"), R"({"name": ")" + me.mark + R"("})");
        if (one_in(2)) gone.send("GET", "/v1/workspaces", auth(me), "");
        gone.close();
        ++tally_.left;
    }

    std::string auth(CrowdTenant const& me) { return one_in(3) ? me.token : me.keys.auth(); }

    void ask_something(CrowdTenant const& me, CrowdTenant const& other) {
        auto const name = R"({"name": ")" + me.mark + R"("})";
        auto const mine = "/v1/workspaces/" + pick(me.first_workspaces);
        auto const theirs = "/v1/workspaces/" + pick(other.first_workspaces);
        switch (below(14)) {
            case 0:
            case 1:
            case 2: {
                static std::vector<std::string> const sorts = {"name", "createdAt", "-createdAt"};
                auto const page = ask(me, "GET", "/v1/workspaces?limit=2&sort=" + pick(sorts), {}, {200});
                if (page.status != 200 || page.json().at("nextCursor").is_null()) return;
                // The rest of the list for whom it is, and for somebody else.
                auto const next = "/v1/workspaces?limit=2&sort=createdAt&cursor=" + page.text("nextCursor");
                ask(me, "GET", next, {}, {200, 400});
                if (&me != &other) ask(other, "GET", next, {}, {400});
                return;
            }
            case 3:
                ask(me, "POST", "/v1/workspaces", {}, {201}, name);
                return;
            case 4: {  // the same key and the same body, whoever asks
                auto const made =
                    ask(me, "POST", "/v1/workspaces", fmt::format("Idempotency-Key: same-{}\r\n", below(3)), {201, 409},
                        R"({"name": "Ours"})");
                if (made.status == 201) ask(me, "GET", made.header("Location"), {}, {200});
                return;
            }
            case 5:  // a statement that fails
                ask(me, "POST", "/v1/workspaces", {}, {409},
                    fmt::format(R"({{"name": "{0}", "slug": "{0}-0"}})", me.mark));
                return;
            case 6:
                ask(me, "GET", mine, {}, {200});
                return;
            case 7:
                ask(me, "GET", theirs, {}, &me == &other ? std::set{200} : std::set{404});
                return;
            case 8:
                ask(me, "PATCH", mine, {}, {200}, R"({"description": ")" + me.mark + R"("})");
                return;
            case 9:
                ask(me, "PATCH", theirs, "If-Match: *\r\n", &me == &other ? std::set{200} : std::set{404},
                    R"({"description": ")" + me.mark + R"("})");
                return;
            case 10:
                ask(me, "GET", "/v1/organizations/" + (one_in(2) ? me : other).keys.id.to_string(), {}, {200, 404});
                return;
            case 11:
                ask(me, "GET", "/v1/members?limit=1", {}, {200});
                return;
            case 12:
                ask(me, "GET", "/v1/api-keys?limit=2", {}, {200});
                return;
            default:
                ask(me, "GET", "/v1/audit-log?limit=3", {}, {200});
        }
    }

    HttpAnswer ask(CrowdTenant const& me, std::string_view method, std::string const& target,
                   std::string const& headers, std::set<int> const& expected, std::string const& body = {}) {
        HttpAnswer answer;
        try {
            if (!connection_) connection_.emplace(server_.port());
            answer = connection_->ask(method, target, auth(me) + headers + media(method), body);
        } catch (std::exception const& error) {
            connection_.reset();
            tally_.complain(fmt::format("{} {}: no answer: {}", method, target, error.what()));
            return answer;
        }
        if (answer.header("Connection") == "close") connection_.reset();
        ++tally_.answers;
        auto shown = answer.body;
        for (auto const& [key, field] : answer.headers) shown += '\n' + field;
        for (auto const& mark : marks_in(shown)) {
            ++tally_.own_marks;
            if (mark != me.mark) tally_.complain(fmt::format("{} {} of {} shows {}", method, target, me.mark, mark));
        }
        if (answer.status == 503) {
            ++tally_.unavailable;
        } else if (!expected.contains(answer.status)) {
            tally_.complain(fmt::format("{} {}: {} {}", method, target, answer.status, answer.body));
        }
        return answer;
    }

    Product const& server_;
    std::vector<std::unique_ptr<CrowdTenant>> const& everybody_;
    Tally& tally_;
    std::mt19937_64 random_;
    std::optional<HttpClient> connection_;
    std::optional<postgres::Session> admin_;
};

// Every row of the tenants' tables speaks of its own organization alone. Returns how many there are.
std::size_t expect_rows_of_their_own(std::vector<std::unique_ptr<CrowdTenant>> const& everybody) {
    std::map<std::string, std::string> mark_of;
    for (auto const& each : everybody) mark_of[each->keys.id.to_string()] = each->mark;
    std::size_t rows = 0;
    for (auto const& table : superuser().query("SELECT table_name FROM information_schema.columns WHERE table_schema = "
                                               "'public' AND column_name = 'organization_id'")) {
        auto const name = table[0].value_or("");
        auto const body = name == "idempotency_keys" ? " || convert_from(coalesce(t.body, ''), 'UTF8')" : "";
        for (auto const& row :
             superuser().query(fmt::format("SELECT organization_id, to_jsonb(t)::text{} FROM {} t", body, name))) {
            auto const found = mark_of.find(row[0].value_or(""));
            if (found == mark_of.end()) continue;
            ++rows;
            for (auto const& mark : marks_in(row[1].value_or(""))) {
                EXPECT_EQ(mark, found->second) << name << ": " << row[1].value_or("");
            }
        }
    }
    return rows;
}

TEST(ACrowd, IsNeverShownAForeignRowWhateverGoesWrong) {
    auto const seed = from_environment("BUILDPLAN_TEST_SEED", std::random_device{}());
    auto const calls = from_environment("BUILDPLAN_TEST_CALLS", 4000);
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE(fmt::format("BUILDPLAN_TEST_SEED={}", seed));
    fmt::print("BUILDPLAN_TEST_SEED={}\n", seed);

    auto wishes = features::testing::product_wishes();
    wishes.exclusive_connections = 2;
    Product server(std::move(wishes));
    std::vector<std::unique_ptr<CrowdTenant>> everybody;
    for (std::size_t i = 0; i < tenants; ++i) everybody.push_back(std::make_unique<CrowdTenant>(server));

    Tally tally;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < clients; ++i) {
            threads.emplace_back([&, i] {
                CrowdClient client(server, everybody, tally, seed + i);
                try {
                    client.call(calls / clients);
                } catch (std::exception const& error) {
                    tally.complain(error.what());
                }
            });
        }
    }
    for (auto const& wrong : tally.wrong) ADD_FAILURE() << wrong;
    auto const rows = expect_rows_of_their_own(everybody);
    fmt::print("{} calls, {} answered, {} of them 503; {} left midway, {} backends broken; {} own marks, {} rows\n",
               tally.calls.load(), tally.answers.load(), tally.unavailable.load(), tally.left.load(),
               tally.broken.load(), tally.own_marks.load(), rows);
    // It would have seen one.
    EXPECT_GT(tally.own_marks, calls / 4);
    EXPECT_GT(tally.broken, 0U);
    EXPECT_GT(tally.left, 0U);
    EXPECT_LT(tally.unavailable, calls / 2);
    EXPECT_GT(rows, tenants * 4);
}

}  // namespace
}  // namespace buildplan::isolation
