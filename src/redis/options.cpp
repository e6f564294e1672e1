#include "redis/options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace buildplan::redis {
namespace {

[[noreturn]] void refuse(std::string_view why) {
    throw std::invalid_argument(
        fmt::format("{}; a Redis URL is unix:/path[?db=N], redis://[user:pass@]host[:port][/N] or "
                    "redis-cluster://[user:pass@]host[:port],host[:port]",
                    why));
}

template <class Number>
Number number(std::string_view text, std::string_view what) {
    Number value{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.starts_with('-')) {
        refuse(fmt::format("{} is not a {}", text, what));
    }
    return value;
}

std::string decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        unsigned char byte = 0;
        auto const digits = text.substr(i + 1, 2);
        auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2) refuse("a broken percent-encoding");
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

Endpoint parse_endpoint(std::string_view text) {
    Endpoint endpoint;
    std::string_view port;
    if (text.starts_with('[')) {
        auto const close = text.find(']');
        if (close == std::string_view::npos) refuse("a [ without its ]");
        endpoint.host = text.substr(1, close - 1);
        auto const rest = text.substr(close + 1);
        if (!rest.empty() && !rest.starts_with(':')) refuse("something odd after ]");
        if (!rest.empty()) port = rest.substr(1);
    } else {
        auto const colon = text.find(':');
        endpoint.host = text.substr(0, colon);
        if (colon != std::string_view::npos) port = text.substr(colon + 1);
    }
    if (endpoint.host.empty()) refuse("a host is missing");
    if (!port.empty()) endpoint.port = number<std::uint16_t>(port, "port");
    return endpoint;
}

}  // namespace

std::string Endpoint::to_string() const {
    if (!path.empty()) return "unix:" + path;
    return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Options Options::parse(std::string_view url) {
    Options options;
    auto const take = [&url](std::string_view prefix) {
        if (!url.starts_with(prefix)) return false;
        url.remove_prefix(prefix.size());
        return true;
    };
    if (take("unix:")) {
        auto const query = url.find('?');
        if (query != std::string_view::npos) {
            auto const db = url.substr(query + 1);
            if (!db.starts_with("db=")) refuse("after the ? of a unix socket comes db=N");
            options.database = number<int>(db.substr(3), "database");
            url = url.substr(0, query);
        }
        if (url.starts_with("//")) url.remove_prefix(2);
        if (!url.starts_with('/')) refuse("a unix socket is an absolute path");
        options.endpoints.push_back({.host = {}, .port = 0, .path = std::string(url)});
        return options;
    }
    options.cluster = take("redis-cluster://");
    if (!options.cluster && !take("redis://")) refuse("no scheme that is known");
    if (auto const at = url.rfind('@'); at != std::string_view::npos) {
        auto const who = url.substr(0, at);
        auto const colon = who.find(':');
        if (colon == std::string_view::npos) refuse("before the @ goes user:pass or :pass");
        options.user = decode(who.substr(0, colon));
        options.password = decode(who.substr(colon + 1));
        url.remove_prefix(at + 1);
    }
    if (auto const slash = url.find('/'); slash != std::string_view::npos) {
        auto const db = url.substr(slash + 1);
        if (!db.empty()) options.database = number<int>(db, "database");
        if (options.cluster && options.database != 0) refuse("a cluster has one database only");
        url = url.substr(0, slash);
    }
    for (bool more = true; more;) {
        auto const comma = options.cluster ? url.find(',') : std::string_view::npos;
        options.endpoints.push_back(parse_endpoint(url.substr(0, comma)));
        more = comma != std::string_view::npos;
        if (more) url.remove_prefix(comma + 1);
    }
    return options;
}

}  // namespace buildplan::redis
