#include "core/settings_table.hpp"

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <limits>

#include "core/text.hpp"

namespace buildplan::settings {
namespace {

struct Range {
    std::int64_t least = 0;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr Unit durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr Unit sizes[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

bool read_integer(std::string_view text, std::int64_t& out) {
    auto const end = text.data() + text.size();
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the end is given, too
    auto const [at, error] = std::from_chars(text.data(), end, out);
    return error == std::errc{} && at == end && !text.empty();
}

// "30s": a number and one of the units, nothing else.
bool read_with_unit(std::string_view text, std::span<Unit const> units, std::int64_t& out) {
    auto const digits = text.find_first_not_of("0123456789");
    if (digits == std::string_view::npos || digits == 0) return text == "0" && (out = 0, true);
    for (auto const& unit : units) {
        if (text.substr(digits) != unit.name) continue;
        if (!read_integer(text.substr(0, digits), out)) return false;
        return !__builtin_mul_overflow(out, unit.factor, &out);
    }
    return false;
}

std::string show_with_unit(std::int64_t value, std::span<Unit const> units) {
    auto best = units.front();
    for (auto const& unit : units) {
        if (value != 0 && value % unit.factor == 0) best = unit;
    }
    return fmt::format("{}{}", value / best.factor, best.name);
}

std::string outside(Range range, auto write) {
    if (range.most == std::numeric_limits<std::int64_t>::max())
        return fmt::format("must be at least {}", write(range.least));
    return fmt::format("must be from {} to {}", write(range.least), write(range.most));
}

// One pair of functions for each type that a setting can have.

std::string parse(bool& out, std::string_view text, Range) {
    if (text != "true" && text != "false") return "must be true or false";
    out = text == "true";
    return {};
}
std::string write(bool value) { return value ? "true" : "false"; }
std::string describe(bool, Range) { return "true or false"; }

template <std::integral I>
std::string parse(I& out, std::string_view text, Range range) {
    constexpr auto plain = [](std::int64_t v) { return fmt::to_string(v); };
    range.most = std::min<std::int64_t>(range.most, std::numeric_limits<I>::max());
    std::int64_t value = 0;
    if (!read_integer(text, value)) return "must be a whole number";
    if (value < range.least || value > range.most) return outside(range, plain);
    out = static_cast<I>(value);
    return {};
}
template <std::integral I>
std::string write(I value) {
    return fmt::to_string(value);
}
template <std::integral I>
std::string describe(I, Range range) {
    range.most = std::min<std::int64_t>(range.most, std::numeric_limits<I>::max());
    return fmt::format("number, {} to {}", range.least, range.most);
}

std::string parse(Settings::Duration& out, std::string_view text, Range range) {
    std::int64_t value = 0;
    if (!read_with_unit(text, durations, value)) return "must be a time like 500ms, 30s, 5m or 1h";
    if (value < range.least || value > range.most)
        return outside(range, [](std::int64_t v) { return show_with_unit(v, durations); });
    out = Settings::Duration{value};
    return {};
}
std::string write(Settings::Duration value) { return show_with_unit(value.count(), durations); }
std::string describe(Settings::Duration, Range) { return "time like 500ms, 30s, 5m"; }

std::string parse(ByteSize& out, std::string_view text, Range range) {
    std::int64_t value = 0;
    if (!read_with_unit(text, sizes, value)) return "must be a size like 64KiB or 8MiB";
    if (value < range.least || value > range.most)
        return outside(range, [](std::int64_t v) { return show_with_unit(v, sizes); });
    out.bytes = static_cast<std::size_t>(value);
    return {};
}
std::string write(ByteSize value) { return show_with_unit(static_cast<std::int64_t>(value.bytes), sizes); }
std::string describe(ByteSize, Range) { return "size like 64KiB, 8MiB"; }

std::string parse(std::string& out, std::string_view text, Range) {
    if (text.size() > 4096) return "must be at most 4096 bytes";
    out = text;
    return {};
}
std::string write(std::string const& value) { return value; }
std::string describe(std::string const&, Range) { return "text"; }

std::string parse(std::vector<std::string>& out, std::string_view text, Range) {
    out.clear();
    while (!text.empty()) {
        auto const comma = text.find(',');
        auto const item = trim(text.substr(0, comma));
        if (!item.empty()) out.emplace_back(item);
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return out.size() > 256 ? "must have at most 256 entries" : "";
}
std::string write(std::vector<std::string> const& value) { return fmt::format("{}", fmt::join(value, ",")); }
std::string describe(std::vector<std::string> const&, Range) { return "list, separated by commas"; }

constexpr std::string_view levels[] = {"debug", "info", "warning", "error"};
std::string parse(LogLevel& out, std::string_view text, Range) {
    auto const level = parse_log_level(text);
    if (!level) return "must be debug, info, warning or error";
    out = *level;
    return {};
}
std::string write(LogLevel value) { return std::string(levels[static_cast<std::size_t>(value)]); }
std::string describe(LogLevel, Range) { return "debug, info, warning or error"; }

std::string parse(LogFormat& out, std::string_view text, Range) {
    if (text != "json" && text != "text") return "must be json or text";
    out = text == "json" ? LogFormat::json : LogFormat::text;
    return {};
}
std::string write(LogFormat value) { return value == LogFormat::json ? "json" : "text"; }
std::string describe(LogFormat, Range) { return "json or text"; }

template <auto Field, Range Bounds = Range{}>
Entry entry(std::string_view name, std::string_view meaning, bool secret = false) {
    return {name,
            meaning,
            describe(Field(Settings{}), Bounds),
            secret,
            [](Settings& settings, std::string_view text) { return parse(Field(settings), text, Bounds); },
            [](Settings const& settings) { return write(Field(settings)); }};
}

constexpr bool secret = true;

// A temporary's member is wanted by value, another's by reference.
#define FIELD(path) [](auto&& s) -> decltype(auto) { return (s.path); }

constexpr Range timeout{1, 86'400'000};

}  // namespace

std::string Entry::env() const {
    std::string out = "BUILDPLAN_";
    for (char const c : name) out += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    return out;
}

std::span<Entry const> table() {
    static std::vector<Entry> const all{
        entry<FIELD(http.address)>("http.address", "The address that the API listens on; 0.0.0.0 or :: for all."),
        entry<FIELD(http.port), Range{0, 65535}>("http.port", "The port of the API; 0 takes any that is free."),
        entry<FIELD(http.shards), Range{0, 256}>(
            "http.shards", "Threads that serve, each with connections of its own; 0 is one for each core."),
        entry<FIELD(http.public_url)>("http.public_url",
                                      "The URL that people and programs reach this installation at, for links."),
        entry<FIELD(http.trusted_proxies)>(
            "http.trusted_proxies", "Networks (CIDR) of proxies whose Forwarded and X-Forwarded headers are believed."),
        entry<FIELD(http.cors_origins)>("http.cors_origins", "Web origins whose scripts may call the API; * for any."),
        entry<FIELD(http.max_head), Range{1 << 10, 1 << 20}>("http.max_head", "The largest request line with headers."),
        entry<FIELD(http.max_body), Range{1 << 10, 1 << 30}>("http.max_body",
                                                             "The largest body where a route sets no other bound."),
        entry<FIELD(http.head_timeout), timeout>("http.head_timeout",
                                                 "How long a client may take for the head of a request."),
        entry<FIELD(http.body_timeout), timeout>("http.body_timeout", "How long a client may pause within a body."),
        entry<FIELD(http.write_timeout), timeout>("http.write_timeout",
                                                  "How long a client may pause in taking its answer."),
        entry<FIELD(http.idle_timeout), timeout>("http.idle_timeout",
                                                 "How long a connection is kept between requests."),
        entry<FIELD(http.total_timeout), timeout>("http.total_timeout",
                                                  "How long a request may take from first to last byte."),
        entry<FIELD(http.max_connections), Range{1, 1'000'000}>("http.max_connections",
                                                                "Connections of one shard; more are answered 503."),
        entry<FIELD(shutdown.ready_delay), Range{0, 600'000}>(
            "shutdown.ready_delay", "After SIGTERM, how long /ready says 503 before no connection is taken any more."),
        entry<FIELD(shutdown.grace), Range{0, 3'600'000}>(
            "shutdown.grace", "How long requests in flight may take to finish when the process stops."),
        entry<FIELD(postgres.app_url)>("postgres.app_url",
                                       "PostgreSQL as buildplan_app, the role under row-level security.", secret),
        entry<FIELD(postgres.system_url)>(
            "postgres.system_url", "PostgreSQL as buildplan_system, for named work across organizations.", secret),
        entry<FIELD(postgres.owner_url)>("postgres.owner_url",
                                         "PostgreSQL as buildplan_owner; needed by `migrate` only.", secret),
        entry<FIELD(postgres.shared_connections), Range{1, 64}>("postgres.shared_connections",
                                                                "Connections of one shard for one-statement requests."),
        entry<FIELD(postgres.pipeline_depth), Range{1, 256}>("postgres.pipeline_depth",
                                                             "Requests in flight on each of those."),
        entry<FIELD(postgres.writing_connections), Range{1, 256}>(
            "postgres.writing_connections", "Connections of one shard for one-statement writes, at most."),
        entry<FIELD(postgres.exclusive_connections), Range{1, 256}>(
            "postgres.exclusive_connections", "Connections of one shard for longer transactions, at most."),
        entry<FIELD(postgres.heavy_connections), Range{1, 64}>(
            "postgres.heavy_connections", "Connections of one shard for search, exports and reports, at most."),
        entry<FIELD(postgres.prepared_statements)>(
            "postgres.prepared_statements", "Named prepared statements; false behind PgBouncer in transaction mode."),
        entry<FIELD(postgres.fast_timeout), timeout>(
            "postgres.fast_timeout", "A one-statement request that takes longer moves to the heavy connections."),
        entry<FIELD(postgres.statement_timeout), timeout>("postgres.statement_timeout",
                                                          "The longest statement of a transaction."),
        entry<FIELD(postgres.heavy_timeout), timeout>("postgres.heavy_timeout",
                                                      "The longest statement on the heavy connections."),
        entry<FIELD(postgres.lock_timeout), timeout>("postgres.lock_timeout", "How long a statement waits for a lock."),
        entry<FIELD(postgres.wait), timeout>("postgres.wait",
                                             "How long a request waits for a connection before it is answered 503."),
        entry<FIELD(postgres.max_waiting), Range{0, 1'000'000}>(
            "postgres.max_waiting", "Requests of one shard that may wait for a connection."),
        entry<FIELD(redis.queue_url)>(
            "redis.queue_url", "The Redis of the queues: unix:/path, redis://host:port or redis-cluster://host:port,….",
            secret),
        entry<FIELD(redis.cache_url)>("redis.cache_url", "The Redis of cache, limits and events.", secret),
        entry<FIELD(redis.timeout), timeout>("redis.timeout", "How long a command may take."),
        entry<FIELD(cache.local), Range{0, 1 << 30}>("cache.local",
                                                     "Memory of one shard for cached data beside Redis."),
        entry<FIELD(offload.threads), Range{0, 256}>("offload.threads",
                                                     "Threads for work that burns CPU; 0 is one for each core."),
        entry<FIELD(offload.queue), Range{1, 1'000'000}>("offload.queue",
                                                         "Pieces of such work that may wait; more are answered 503."),
        entry<FIELD(api.rate_limits)>("api.rate_limits",
                                      "Whether organizations are held to the limits of their tiers."),
        entry<FIELD(api.secret)>(
            "api.secret", "Signs cursors and seals signing keys; the same on all instances. `up` makes one by itself.",
            secret),
        entry<FIELD(work.concurrency), Range{1, 10'000}>("work.concurrency",
                                                         "Jobs that one shard of a worker does at the same time."),
        entry<FIELD(work.queues)>("work.queues", "The queues that a worker serves; none named: all."),
        entry<FIELD(work.tiers)>("work.tiers", "The tiers that a worker serves (FREE, PRO, ENTERPRISE); none: all."),
        entry<FIELD(work.grace), Range{0, 3'600'000}>(
            "work.grace", "How long jobs may take to finish when a worker stops; then they are handed back."),
        entry<FIELD(tokens.rotate_after), Range{3'600'000, 366LL * 86'400'000}>(
            "tokens.rotate_after", "How old a signing key of access tokens gets before it has a successor."),
        entry<FIELD(log.level)>("log.level", "The least that is logged."),
        entry<FIELD(log.format)>("log.format", "How lines are written."),
    };
    return all;
}
#undef FIELD

}  // namespace buildplan::settings
