#include "postgres/detail/conninfo.hpp"

#include <fmt/core.h>
#include <libpq-fe.h>
#include <netdb.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "core/operator_error.hpp"

namespace buildplan::postgres::detail {
namespace {

std::vector<std::string> split(std::string const& list) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (std::size_t comma = list.find(','); comma != std::string::npos; comma = list.find(',', from)) {
        parts.push_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    parts.push_back(list.substr(from));
    return parts;
}

bool is_socket_folder(std::string const& host) { return host.empty() || host[0] == '/' || host[0] == '@'; }

std::vector<std::string> addresses_of(std::string const& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    if (int const failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); failed != 0) {
        throw std::runtime_error(fmt::format("cannot resolve {}: {}", host, ::gai_strerror(failed)));
    }
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> const owner(found, ::freeaddrinfo);
    std::vector<std::string> addresses;
    for (auto const* each = found; each != nullptr; each = each->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
            addresses.emplace_back(text.data());
        }
    }
    return addresses;
}

std::string join(std::vector<std::string> const& parts) {
    std::string list;
    for (auto const& part : parts) {
        if (&part != parts.data()) list += ',';
        list += part;
    }
    return list;
}

}  // namespace

Conninfo::Conninfo(Options const& options, LaneOptions const& lane) {
    char* complaint = nullptr;
    std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> const parsed(
        PQconninfoParse(options.url.c_str(), &complaint), PQconninfoFree);
    if (!parsed) {
        // libpq's complaint may quote the URL, and with it a password: it is not passed on.
        PQfreemem(complaint);
        throw OperatorError("The URL of the database cannot be understood",
                            "write it as postgresql://user:password@host:port/database");
    }
    for (auto const* option = parsed.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) settings_[option->keyword] = option->val;
    }
    // Only where the URL does not say otherwise.
    settings_.try_emplace("application_name", options.application_name);
    settings_.try_emplace("gssencmode", "disable");
    settings_.try_emplace("keepalives_idle", "10");
    settings_.try_emplace("keepalives_interval", "5");
    settings_.try_emplace("keepalives_count", "3");
    settings_.try_emplace("tcp_user_timeout", "8000");
    settings_["client_encoding"] = "UTF8";
    if (options.named_statements) {
        settings_["options"] += fmt::format(
            " -c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={}"
            " -c plan_cache_mode=force_generic_plan",
            lane.statement_timeout.count(), lane.lock_timeout.count(), options.idle_in_transaction_timeout.count());
    }
    if (settings_.contains("hostaddr") || !settings_.contains("host")) return;
    for (auto const& host : split(settings_["host"])) needs_resolving_ |= !is_socket_folder(host);
}

Conninfo Conninfo::resolved() const {
    Conninfo copy = *this;
    auto const hosts = split(settings_.at("host"));
    auto const ports = settings_.contains("port") ? split(settings_.at("port")) : std::vector<std::string>{""};
    std::vector<std::string> each_host, each_address, each_port;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        for (auto& address : is_socket_folder(hosts[i]) ? std::vector<std::string>{""} : addresses_of(hosts[i])) {
            each_host.push_back(hosts[i]);
            each_address.push_back(std::move(address));
            each_port.push_back(ports.size() == 1 ? ports[0] : ports.at(i));
        }
    }
    copy.settings_["host"] = join(each_host);
    copy.settings_["hostaddr"] = join(each_address);
    copy.settings_["port"] = join(each_port);
    return copy;
}

Conninfo::Arrays Conninfo::arrays() const {
    Arrays arrays;
    for (auto const& [keyword, value] : settings_) {
        arrays.keywords.push_back(keyword.c_str());
        arrays.values.push_back(value.c_str());
    }
    arrays.keywords.push_back(nullptr);
    arrays.values.push_back(nullptr);
    return arrays;
}

}  // namespace buildplan::postgres::detail
