// For tests: a whole server of this floor on a real PostgreSQL (and Redis, if wanted), on a thread of its own, and a
// client that says exactly what it is told to. Who asks is written in the token: "<organization> <permission>…"
// (INSTALLATION among them: whoever runs it), unless the test brings an Authenticator.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <future>
#include <sstream>

#include "api/authenticator.hpp"
#include "api/limiter.hpp"
#include "api/pipeline.hpp"
#include "api/shard.hpp"
#include "core/text.hpp"
#include "postgres/test_database.hpp"
#include "redis/client.hpp"
#include "tests/support/principal.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::api::testing {

// One migrated database for the tests of a program: each test uses organizations of its own.
test_support::MigratedDatabase& database();

// The superuser, whom no policy holds. A connection costs PostgreSQL a process, so each thread keeps its own.
postgres::Session& superuser();

class TokenSays final : public Authenticator {
public:
    task<std::shared_ptr<Principal const>> authenticate(Shard&, net::Request const& request) override;
};

struct HttpAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    [[nodiscard]] std::string header(std::string_view name) const;
    [[nodiscard]] boost::json::value json() const;
    // The code of a problem, a field of an object.
    [[nodiscard]] std::string text(std::string_view name) const;
};

// One connection, kept alive.
class HttpClient {
public:
    // `from`: 127.0.0.x, whom the server takes for somebody else.
    explicit HttpClient(std::uint16_t port, std::string const& from = "127.0.0.1");
    ~HttpClient();
    HttpClient(HttpClient const&) = delete;
    HttpClient& operator=(HttpClient const&) = delete;

    HttpAnswer ask(std::string_view method, std::string_view target, std::string_view headers = {},
                   std::string_view body = {});
    void send(std::string_view method, std::string_view target, std::string_view headers, std::string_view body);
    HttpAnswer receive(bool head_only = false);
    // Everything until the server closes the connection, as it comes.
    std::string rest();
    void close();

private:
    struct Wire;
    std::unique_ptr<Wire> wire_;
};

struct ServerWishes {
    std::function<std::unique_ptr<Authenticator>(Loop&, postgres::SystemPool&)> authenticator =
        [](Loop&, postgres::SystemPool&) { return std::make_unique<TokenSays>(); };
    std::function<std::unique_ptr<Limiter>(Loop&)> limiter = {};
    std::chrono::milliseconds lock_timeout{3000};
    unsigned exclusive_connections = 4;
    std::chrono::milliseconds wait{2000};  // for a connection
    std::string redis_url = {};
    std::string app_url = database().app();
    Log log = {};
};

class TestServer {
public:
    explicit TestServer(RouteTables tables, ServerWishes wishes = {});
    ~TestServer();
    TestServer(TestServer const&) = delete;
    TestServer& operator=(TestServer const&) = delete;

    [[nodiscard]] HttpClient connect() const { return HttpClient(port_); }
    // A request on a connection of its own.
    [[nodiscard]] HttpAnswer ask(std::string_view method, std::string_view target, std::string_view headers = {},
                                 std::string_view body = {}) const;
    // On the server's thread; waits for it.
    void run(task<> work);
    [[nodiscard]] Shard& shard() noexcept;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
    std::uint16_t port_ = 0;
};

// An organization that exists in the database, and the header that speaks for it.
struct Tenant {
    OrganizationId id = OrganizationId::make();

    Tenant() {
        superuser().query("INSERT INTO organizations (id, name, slug) VALUES ($1::uuid, 'Test', $2)",
                          {id.to_string(), id.to_string()});
    }
    [[nodiscard]] std::string auth(std::string_view permissions = "*") const {
        return fmt::format("Authorization: Bearer {} {}\r\n", id.to_string(), permissions);
    }
    [[nodiscard]] std::string json(std::string_view permissions = "*") const {
        return auth(permissions) + "Content-Type: application/json\r\n";
    }
    // As the superuser sees it.
    [[nodiscard]] std::string count(std::string_view table) const {
        return superuser()
            .value(fmt::format("SELECT count(*) FROM {} WHERE organization_id = $1::uuid", table), {id.to_string()})
            .value_or("");
    }
};

}  // namespace buildplan::api::testing
