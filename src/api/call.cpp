#include "api/call.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "api/query_reader.hpp"
#include "core/text.hpp"
#include "fmt/ranges.h"

namespace buildplan::api {
namespace {

constexpr std::int64_t default_limit = 20;
constexpr std::int64_t max_limit = 100;

std::int64_t decimal(std::string_view text, std::int64_t otherwise) noexcept {
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

}  // namespace

Principal const& Call::principal() const {
    if (!principal_) throw std::logic_error(fmt::format("{} is open: there is no principal", route().path));
    return *principal_;
}

Actor Call::actor() const { return actor(principal_ ? Actor::of(*principal_) : Actor{}); }

Actor Call::actor(Actor who) const {
    who.address = request_.remote;
    who.request_id = request_.id;
    return who;
}

Log Call::log() const {
    return shard_.loop.log().with({{"requestId", request_.id}, {"traceId", request_.trace.trace_id()}});
}

std::string_view Call::raw_path_value(std::string_view name, bool (*fits_type)(ParameterKind)) const {
    for (std::uint32_t i = 0; i < entry_.parameter_count; ++i) {
        auto const& parameter = entry_.parameters[i];
        if (parameter.name == name && fits_type(parameter.kind)) return values_.values[i];
    }
    throw std::logic_error(fmt::format("{} has no such parameter as {}", route().path, name));
}

std::string Call::path_text(std::string_view name) const {
    auto const raw = raw_path_value(name, [](ParameterKind) { return true; });
    return percent_decode(raw).value_or("");
}

std::int64_t Call::path_number(std::string_view name) const {
    return decimal(raw_path_value(name, [](ParameterKind kind) { return kind == ParameterKind::number; }), 0);
}

Uuid Call::path_uuid(std::string_view name) const {
    auto const raw = raw_path_value(name, [](ParameterKind kind) { return kind == ParameterKind::uuid; });
    return Uuid::parse(raw).value_or(Uuid{});
}

void Call::expect(Shape const& declared, json::Type const& asked, char const* what) {
    if (!declared || &declared.type() != &asked)
        throw std::logic_error(fmt::format("The route declares another {}.", what));
}

void Call::check_json() const {
    auto const header = request_.header("Content-Type");
    auto const media = trim(header.value_or("").substr(0, header.value_or("").find(';')));
    bool const patch = route().method == Method::patch;
    if (ascii_iequals(media, "application/json") || (patch && ascii_iequals(media, "application/merge-patch+json")))
        return;
    if (!header && request_.body.empty()) throw problems::malformed("The request has no body; it needs one of JSON.");
    throw Problem(415, "unsupported-media-type",
                  patch ? "Send the body as application/merge-patch+json or application/json."
                        : "Send the body as application/json.");
}

void Call::read_query(json::Type const& type, void* out) const { decode_query(request_.query, route(), type, out); }

void Call::expect_paged() const {
    if (route().sorts.empty()) throw std::logic_error(fmt::format("{} is not paged", route().path));
}

std::int64_t Call::limit() const {
    expect_paged();
    auto const text = request_.parameter("limit");
    if (!text) return default_limit;
    auto const limit = decimal(*text, 0);
    if (limit < 1 || limit > max_limit)
        throw problems::invalid_field("?limit", "out-of-range", "A number from 1 to 100.");
    return limit;
}

std::string_view Call::sort() const {
    expect_paged();
    auto const text = request_.parameter("sort");
    if (!text) return route().sorts.front();
    for (auto const sort : route().sorts) {
        if (sort == *text) return sort;
    }
    throw problems::invalid_field("?sort", "not-allowed", fmt::format("One of {}.", fmt::join(route().sorts, ", ")));
}

std::optional<std::string> Call::opened_cursor() const {
    expect_paged();
    auto const text = request_.parameter("cursor");
    if (!text) return std::nullopt;
    auto keyset = shard_.constants.cursors.open(scope(), *text);
    if (!keyset) throw_invalid_cursor();
    return keyset;
}

void Call::throw_invalid_cursor() {
    throw Problem(400, "invalid-cursor", "The cursor belongs to another list, filter or order. Begin without one.",
                  {{"?cursor", "invalid-cursor", "Give back nextCursor as it came, with the same filters and sort."}});
}

std::string Call::cursor(std::string_view keyset) const { return shard_.constants.cursors.seal(scope(), keyset); }

// The actual path, so that the lists of two parents differ; the filters in one order, each with its length, so that no
// two sets of them look alike.
std::string Call::scope() const {
    std::vector<std::pair<std::string_view, std::string_view>> filters;
    for (auto const& parameter : request_.query) {
        if (parameter.name == "cursor" || parameter.name == "limit" || parameter.name == "sort") continue;
        filters.emplace_back(parameter.name, parameter.value);
    }
    std::ranges::sort(filters);
    auto text = fmt::format("{} {} {}", request_.path, principal_ ? principal_->organization_text() : "-", sort());
    for (auto const& [name, value] : filters)
        text += fmt::format(" {}:{}={}:{}", name.size(), name, value.size(), value);
    return text;
}

}  // namespace buildplan::api
