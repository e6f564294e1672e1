// For tests: a whole server of this floor on a real PostgreSQL (and Redis, if wanted), on a thread of its own, and a
// client that says exactly what it is told to. Who asks is written in the token: "<organization> <permission>…", unless
// the test brings an Authenticator.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/json/parse.hpp>
#include <future>
#include <sstream>

#include "api/authenticator.hpp"
#include "api/pipeline.hpp"
#include "core/text.hpp"
#include "net/listener.hpp"
#include "net/server.hpp"
#include "postgres/test_database.hpp"
#include "redis/client.hpp"
#include "tests/support/principal.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::api::testing {

// One migrated database for the tests of a program: each test uses organizations of its own.
inline test_support::MigratedDatabase& database() {
    static test_support::MigratedDatabase database;
    return database;
}

// The superuser, whom no policy holds. A connection costs PostgreSQL a process, so each thread keeps its own.
inline postgres::Session& superuser() {
    static thread_local postgres::Session session(database().admin());
    return session;
}

class TokenSays final : public Authenticator {
public:
    task<std::shared_ptr<Principal const>> authenticate(Shard&, net::Request const& request) override {
        std::istringstream words{std::string(request.header("Authorization").value_or(""))};
        std::string scheme, organization, permission;
        words >> scheme >> organization;
        auto const id = OrganizationId::parse(organization);
        if (!id) co_return nullptr;
        std::vector<std::string> permissions;
        while (words >> permission) permissions.push_back(permission);
        co_return std::make_shared<Principal const>(
            buildplan::testing::PrincipalMaker::make(*id, {}, std::move(permissions)));
    }
};

struct HttpAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    [[nodiscard]] std::string header(std::string_view name) const {
        for (auto const& [key, value] : headers) {
            if (ascii_iequals(key, name)) return value;
        }
        return {};
    }
    [[nodiscard]] boost::json::value json() const { return boost::json::parse(body); }
    // The code of a problem, a field of an object.
    [[nodiscard]] std::string text(std::string_view name) const { return std::string(json().at(name).as_string()); }
};

// One connection, kept alive.
class HttpClient {
public:
    // `from`: 127.0.0.x, whom the server takes for somebody else.
    explicit HttpClient(std::uint16_t port, std::string const& from = "127.0.0.1") : socket_(io_) {
        socket_.open(boost::asio::ip::tcp::v4());
        socket_.bind({boost::asio::ip::make_address_v4(from), 0});
        socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    }
    HttpAnswer ask(std::string_view method, std::string_view target, std::string_view headers = {},
                   std::string_view body = {}) {
        send(method, target, headers, body);
        return receive(method == "HEAD");
    }
    void send(std::string_view method, std::string_view target, std::string_view headers, std::string_view body) {
        auto request = fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n{}", method, target, headers);
        if (!body.empty() || method == "POST" || method == "PATCH")
            request += fmt::format("Content-Length: {}\r\n", body.size());
        request += "\r\n";
        request += body;
        boost::asio::write(socket_, boost::asio::buffer(request));
    }
    HttpAnswer receive(bool head_only = false) {
        auto const head_size = boost::asio::read_until(socket_, boost::asio::dynamic_buffer(buffer_), "\r\n\r\n");
        HttpAnswer answer;
        std::istringstream head{buffer_.substr(0, head_size)};
        buffer_.erase(0, head_size);
        std::string line, version;
        std::getline(head, line);
        std::istringstream{line} >> version >> answer.status;
        while (std::getline(head, line) && line != "\r") {
            auto const colon = line.find(':');
            answer.headers.emplace_back(line.substr(0, colon),
                                        std::string(trim(line.substr(colon + 1, line.size() - colon - 2))));
        }
        auto const length = answer.header("Content-Length");
        auto const size = head_only || length.empty() ? 0 : std::stoul(length);
        if (buffer_.size() < size) {
            boost::asio::read(socket_, boost::asio::dynamic_buffer(buffer_),
                              boost::asio::transfer_at_least(size - buffer_.size()));
        }
        answer.body = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return answer;
    }
    // Everything until the server closes the connection, as it comes.
    std::string rest() {
        boost::system::error_code end;
        boost::asio::read(socket_, boost::asio::dynamic_buffer(buffer_), end);
        return std::exchange(buffer_, {});
    }
    void close() { socket_.close(); }

private:
    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_;
    std::string buffer_;
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
    explicit TestServer(RouteTables tables, ServerWishes wishes = {})
        : loop_(0, wishes.log),
          constants_(tables, "0.0.0", "a secret for tests"),
          postgres_(loop_, offload_, pool_options(wishes.app_url, wishes)),
          system_(loop_, offload_, pool_options(database().system(), wishes)),
          authenticator_(wishes.authenticator(loop_, system_)),
          limiter_(wishes.limiter ? wishes.limiter(loop_) : nullptr),
          redis_(wishes.redis_url.empty() ? nullptr
                                          : redis::Client::make(loop_, redis::Options::parse(wishes.redis_url))),
          shard_{.loop = loop_,
                 .constants = constants_,
                 .postgres = postgres_,
                 .system = system_,
                 .offload = offload_,
                 .authenticator = *authenticator_,
                 .limiter = limiter_.get(),
                 .redis = redis_.get()},
          pipeline_(shard_),
          server_(listen()) {
        constants_.registries = {&loop_.metrics()};
        constants_.serving = true;
        authenticator_->start();
        server_->start();
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~TestServer() {
        run([](TestServer& self) -> task<> {
            co_await self.server_->drain(std::chrono::seconds{5});
            co_await self.authenticator_->close();
            co_await self.postgres_.close();
            co_await self.system_.close();
            if (self.redis_) co_await self.redis_->close();
            self.server_.reset();
        }(*this));
        loop_.post([this] { loop_.stop(); });
        thread_.join();
    }
    TestServer(TestServer const&) = delete;
    TestServer& operator=(TestServer const&) = delete;

    [[nodiscard]] HttpClient connect() const { return HttpClient(port_); }
    // A request on a connection of its own.
    [[nodiscard]] HttpAnswer ask(std::string_view method, std::string_view target, std::string_view headers = {},
                                 std::string_view body = {}) const {
        return connect().ask(method, target, headers, body);
    }
    // On the server's thread; waits for it.
    void run(task<> work) {
        auto const done = std::make_shared<std::promise<void>>();
        asio::co_spawn(loop_.io(), std::move(work),
                       [done](std::exception_ptr error) { error ? done->set_exception(error) : done->set_value(); });
        done->get_future().get();
    }
    [[nodiscard]] Shard& shard() noexcept { return shard_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    static postgres::Options pool_options(std::string url, ServerWishes const& wishes) {
        postgres::Options options;
        options.url = std::move(url);
        options.exclusive.connections = wishes.exclusive_connections;
        options.wait = wishes.wait;
        options.exclusive.lock_timeout = wishes.lock_timeout;
        return options;
    }
    std::unique_ptr<net::Server> listen() {
        auto listeners = net::Listener::open("127.0.0.1", 0, 1);
        port_ = listeners.front().port();
        return std::make_unique<net::Server>(loop_, std::move(listeners.front()), net::ServerSettings{},
                                             pipeline_.hooks());
    }

    Offload offload_{1, 64};
    Loop loop_;
    Constants constants_;
    postgres::Pool postgres_;
    postgres::SystemPool system_;
    std::unique_ptr<Authenticator> authenticator_;
    std::unique_ptr<Limiter> limiter_;
    std::unique_ptr<redis::Client> redis_;
    Shard shard_;
    Pipeline pipeline_;
    std::uint16_t port_ = 0;
    std::unique_ptr<net::Server> server_;
    std::thread thread_;
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
