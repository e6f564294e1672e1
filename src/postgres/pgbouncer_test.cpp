// Behind a real PgBouncer in transaction mode, which gives each transaction another server connection: nothing that
// outlives a transaction may be relied upon, and several clients share what is there.
#include <gtest/gtest.h>

#include <fstream>

#include "local/child_process.hpp"
#include "local/files.hpp"
#include "local/socket_folder.hpp"
#include "postgres/test_pool.hpp"

namespace buildplan::postgres::testing {
namespace {

using namespace std::chrono_literals;

class PgBouncer {
public:
    explicit PgBouncer(test_support::PostgresServer const& server)
        : folder_(
              local::make_socket_folder(test_support::make_temporary_folder("pgbouncer") / "s", local::server_user())) {
        std::ofstream(folder_ / "users") << "\"buildplan_app\" \"\"\n";
        std::ofstream(folder_ / "pgbouncer.ini") << fmt::format(
            "[databases]\n* = host={} port=5432\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {}\n"
            "pool_mode = transaction\ndefault_pool_size = 3\nauth_type = trust\nauth_file = {}/users\n",
            server.socket_folder().string(), folder_.string(), folder_.string());
        std::filesystem::permissions(folder_ / "users", std::filesystem::perms(0644));
        std::filesystem::permissions(folder_ / "pgbouncer.ini", std::filesystem::perms(0644));
        local::ChildOptions options;
        options.command = {"/usr/sbin/pgbouncer", (folder_ / "pgbouncer.ini").string()};
        options.log = folder_ / "log";
        options.user = local::server_user();
        child_.emplace(options);
        for (int i = 0; i < 2000 && !std::filesystem::exists(folder_ / ".s.PGSQL.6432"); ++i)
            std::this_thread::sleep_for(5ms);
    }
    [[nodiscard]] std::string url(std::string_view role, std::string_view database) const {
        return fmt::format("host={} port=6432 user={} dbname={}", folder_.string(), role, database);
    }

private:
    std::filesystem::path folder_;
    std::optional<local::ChildProcess> child_;
};

using StatementTimeout =
    Sql<"statement_timeout", "SELECT current_setting('statement_timeout')", std::optional<std::string>>;

task<> tenant(Pool& pool, Principal who, int& wrong) {
    auto const organization = std::string(who.organization_text());
    co_await pool.run(who, AddNote(organization));
    for (int i = 0; i < 60; ++i) {
        if (co_await pool.all(who, NoteBodies()) != std::vector<std::string>{organization}) ++wrong;
        if (i % 5 == 1 && co_await outcome(pool.one(who, DivideByZero(0))) != "22012") ++wrong;
        if (i % 5 != 2) continue;
        auto tx = pool.begin(who);
        if (co_await tx.one(CurrentTenant()) != organization) ++wrong;
        if (co_await tx.one(CountNotes()) != 1) ++wrong;
        if (i % 2 == 0) co_await tx.commit();
    }
}

task<> through_pgbouncer(Ground& ground, Options options) {
    // Two pools, as two processes would have them.
    Pool one(ground.loop, ground.offload, options);
    Pool other(ground.loop, ground.offload, options);
    int wrong = 0;
    std::array<Beside, 20> tenants;
    for (std::size_t i = 0; i < tenants.size(); ++i) {
        tenants[i].start(ground.loop, tenant(i % 2 == 0 ? one : other, somebody(), wrong));
    }
    co_await until([&] { return std::ranges::all_of(tenants, &Beside::ended); });
    for (auto& each : tenants) EXPECT_EQ(name_of(each.error), "ok");
    EXPECT_EQ(wrong, 0);

    auto const who = somebody();
    EXPECT_EQ(co_await one.one(who, StatementTimeout()), "100ms");
    EXPECT_EQ(co_await one.one(who, StatementTimeout(), Lane::exclusive), "10s");
    co_await one.one(who, Sleep(0.15));  // too slow for the shared lane, and served all the same
    auto tx = one.begin(who);
    co_await tx.pipeline(AddNumbered("x", 1), AddNumbered("y", 1));
    EXPECT_EQ(co_await outcome(tx.commit()), "23505");
    EXPECT_EQ(co_await one.one(who, CountNotes()), 0);
    co_await one.close();
    co_await other.close();
}

TEST(PgBouncer, InTransactionModeTenantsDoNotMixAndTimeoutsHold) {
    PgBouncer const bouncer(test_support::postgres());
    auto options = options_for(bouncer.url("buildplan_app", database().name()));
    options.named_statements = false;
    options.wait = 10s;
    Ground ground;
    ground.run(through_pgbouncer(ground, options));
}

}  // namespace
}  // namespace buildplan::postgres::testing
