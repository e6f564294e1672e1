#include "api/test_server.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <future>
#include <sstream>

#include "api/pipeline.hpp"
#include "net/listener.hpp"
#include "net/server.hpp"
#include "postgres/bell.hpp"
#include "runtime/offload.hpp"
#include "tests/support/principal.hpp"

namespace buildplan::api::testing {

test_support::MigratedDatabase& database() {
    static test_support::MigratedDatabase database;
    return database;
}

postgres::Session& superuser() {
    static thread_local postgres::Session session(database().admin());
    return session;
}

task<std::shared_ptr<Principal const>> TokenSays::authenticate(Shard&, net::Request const& request) {
    std::istringstream words{std::string(request.header("Authorization").value_or(""))};
    std::string scheme, organization, permission;
    words >> scheme >> organization;
    auto const id = OrganizationId::parse(organization);
    if (!id) co_return nullptr;
    std::vector<std::string> permissions;
    while (words >> permission) permissions.push_back(permission);
    bool const owns_installation = std::erase(permissions, "INSTALLATION") > 0;
    co_return std::make_shared<Principal const>(
        buildplan::testing::PrincipalMaker::make(*id, {}, std::move(permissions), {}, owns_installation));
}

// ------------------------------------------------------------------------------------------------------------- client
std::string HttpAnswer::header(std::string_view name) const {
    for (auto const& [key, value] : headers) {
        if (ascii_iequals(key, name)) return value;
    }
    return {};
}
boost::json::value HttpAnswer::json() const { return boost::json::parse(body); }
std::string HttpAnswer::text(std::string_view name) const { return std::string(json().at(name).as_string()); }

struct HttpClient::Wire {
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket{io};
    std::string buffer;
};

HttpClient::HttpClient(std::uint16_t port, std::string const& from) : wire_(std::make_unique<Wire>()) {
    wire_->socket.open(boost::asio::ip::tcp::v4());
    wire_->socket.bind({boost::asio::ip::make_address_v4(from), 0});
    wire_->socket.connect({boost::asio::ip::address_v4::loopback(), port});
}
HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::ask(std::string_view method, std::string_view target, std::string_view headers,
                           std::string_view body) {
    send(method, target, headers, body);
    return receive(method == "HEAD");
}

void HttpClient::send(std::string_view method, std::string_view target, std::string_view headers,
                      std::string_view body) {
    auto request = fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n{}", method, target, headers);
    if (!body.empty() || method == "POST" || method == "PATCH")
        request += fmt::format("Content-Length: {}\r\n", body.size());
    request += "\r\n";
    request += body;
    boost::asio::write(wire_->socket, boost::asio::buffer(request));
}

HttpAnswer HttpClient::receive(bool head_only) {
    auto& buffer = wire_->buffer;
    auto const head_size = boost::asio::read_until(wire_->socket, boost::asio::dynamic_buffer(buffer), "\r\n\r\n");
    HttpAnswer answer;
    std::istringstream head{buffer.substr(0, head_size)};
    buffer.erase(0, head_size);
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
    if (buffer.size() < size) {
        boost::asio::read(wire_->socket, boost::asio::dynamic_buffer(buffer),
                          boost::asio::transfer_at_least(size - buffer.size()));
    }
    answer.body = buffer.substr(0, size);
    buffer.erase(0, size);
    return answer;
}

std::string HttpClient::rest() {
    boost::system::error_code end;
    boost::asio::read(wire_->socket, boost::asio::dynamic_buffer(wire_->buffer), end);
    return std::exchange(wire_->buffer, {});
}

void HttpClient::close() { wire_->socket.close(); }

// ------------------------------------------------------------------------------------------------------------- server
namespace {

postgres::Options pool_options(std::string url, ServerWishes const& wishes) {
    postgres::Options options;
    options.url = std::move(url);
    options.exclusive.connections = wishes.exclusive_connections;
    options.wait = wishes.wait;
    options.exclusive.lock_timeout = wishes.lock_timeout;
    return options;
}

}  // namespace

struct TestServer::Parts {
    Parts(RouteTables tables, ServerWishes const& wishes)
        : loop(0, wishes.log),
          constants(tables, "0.0.0", "a secret for tests"),
          postgres(loop, offload, pool_options(wishes.app_url, wishes)),
          system(loop, offload, pool_options(database().system(), wishes)),
          authenticator(wishes.authenticator(loop, system)),
          limiter(wishes.limiter ? wishes.limiter(loop) : nullptr),
          redis(wishes.redis_url.empty() ? nullptr
                                         : redis::Client::make(loop, redis::Options::parse(wishes.redis_url))),
          bell(loop, system, "buildplan_outbox"),
          shard{.loop = loop,
                .constants = constants,
                .postgres = postgres,
                .system = system,
                .offload = offload,
                .authenticator = *authenticator,
                .limiter = limiter.get(),
                .redis = redis.get(),
                .bell = &bell,
                .queue = redis.get()},
          pipeline(shard) {}

    Offload offload{1, 64};
    Loop loop;
    Constants constants;
    postgres::Pool postgres;
    postgres::SystemPool system;
    std::unique_ptr<Authenticator> authenticator;
    std::unique_ptr<Limiter> limiter;
    std::unique_ptr<redis::Client> redis;
    postgres::Bell bell;
    Shard shard;
    Pipeline pipeline;
    std::unique_ptr<net::Server> server;
    std::thread thread;
};

TestServer::TestServer(RouteTables tables, ServerWishes wishes) : parts_(std::make_unique<Parts>(tables, wishes)) {
    auto listeners = net::Listener::open("127.0.0.1", 0, 1);
    port_ = listeners.front().port();
    parts_->server = std::make_unique<net::Server>(parts_->loop, std::move(listeners.front()), net::ServerSettings{},
                                                   parts_->pipeline.hooks());
    parts_->constants.registries = {&parts_->loop.metrics()};
    parts_->constants.serving = true;
    parts_->authenticator->start();
    parts_->server->start();
    parts_->thread = std::thread([parts = parts_.get()] { parts->loop.run(); });
}

TestServer::~TestServer() {
    run([](Parts& parts) -> task<> {
        co_await parts.server->drain(std::chrono::seconds{5});
        co_await parts.authenticator->close();
        co_await parts.postgres.close();
        co_await parts.bell.close();
        co_await parts.system.close();
        if (parts.redis) co_await parts.redis->close();
        parts.server.reset();
    }(*parts_));
    parts_->loop.post([parts = parts_.get()] { parts->loop.stop(); });
    parts_->thread.join();
}

HttpAnswer TestServer::ask(std::string_view method, std::string_view target, std::string_view headers,
                           std::string_view body) const {
    return connect().ask(method, target, headers, body);
}

void TestServer::run(task<> work) {
    auto const done = std::make_shared<std::promise<void>>();
    asio::co_spawn(parts_->loop.io(), std::move(work),
                   [done](std::exception_ptr error) { error ? done->set_exception(error) : done->set_value(); });
    done->get_future().get();
}

Shard& TestServer::shard() noexcept { return parts_->shard; }

}  // namespace buildplan::api::testing
