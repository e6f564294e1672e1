#include "api/idempotency.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "api/queries.gen.hpp"
#include "api/response.hpp"
#include "core/crypto.hpp"
#include "core/json/json.hpp"
#include "core/sealed.hpp"
#include "core/text.hpp"

namespace buildplan::api {
namespace {

constexpr std::size_t longest_key = 255;

// What of an answer is kept beside status and body.
struct KeptHeaders {
    std::optional<std::string> content_type;
    std::optional<std::string> location;
    std::optional<std::string> etag;
};
BOOST_DESCRIBE_STRUCT(KeptHeaders, (), (content_type, location, etag))

std::optional<std::string> copy(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>{*text} : std::nullopt;
}

// Content types are constants of the program; see net::Response.
std::string_view known_type(std::string_view name) {
    for (auto const type : {net::content_type::json, net::content_type::problem, net::content_type::text}) {
        if (type == name) return type;
    }
    return {};
}

net::Response to_response(queries::FindAnswer::Row row, IdempotencyKey const& key) {
    auto body = std::move(row.body);
    if (!key.sealing_key.empty()) body = open_sealed(key.sealing_key, body.value_or(""), key.bound_to);
    if (!body) {  // the secret of the installation is another one by now
        throw problems::conflict("idempotency-key-reused",
                                 "What was answered to this Idempotency-Key cannot be shown any more. Look whether it "
                                 "was done before you ask with another one.");
    }
    auto const headers = json::decode<KeptHeaders>(row.headers->text);
    net::Response response(*row.status, known_type(headers.content_type.value_or("")), *std::move(body));
    if (headers.content_type && response.content_type.empty()) response.header("Content-Type", *headers.content_type);
    if (headers.location) response.header("Location", *headers.location);
    if (headers.etag) response.header("ETag", *headers.etag);
    response.header("Idempotent-Replayed", "true");
    return response;
}

Problem in_progress() {
    return Problem(409, "idempotency-in-progress", "A request with this Idempotency-Key is still being worked on.")
        .retry_in(std::chrono::seconds{1});
}

// Each part with its length, so that no two requests look alike.
std::string fingerprint_of(Call const& call) {
    auto const& request = call.request();
    std::string text;
    auto const add = [&text](std::string_view part) {
        text += std::to_string(part.size());
        text += ':';
        text += part;
    };
    add(to_text(call.route().method));
    add(request.target);
    auto const user = call.principal().user();
    add(user ? user->to_string() : std::string{});
    // Another key of the organization may hold less than the one that was answered.
    auto const api_key = call.principal().api_key();
    add(api_key ? api_key->to_string() : std::string{});
    add(request.body);
    return sha256(text);
}

bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::optional<std::string> parse_idempotency_key(std::string_view header) {
    header = trim(header);
    std::string key;
    if (header.starts_with('"')) {
        if (header.size() < 2 || !header.ends_with('"')) return std::nullopt;
        auto const inside = header.substr(1, header.size() - 2);
        bool escaped = false;
        for (char const c : inside) {
            bool const special = c == '"' || c == '\\';
            if (escaped != special && (escaped || c == '"')) return std::nullopt;
            escaped = c == '\\' && !escaped;
            if (!escaped) key += c;
        }
        if (escaped) return std::nullopt;
    } else {
        key = header;
    }
    if (key.empty() || key.size() > longest_key || !is_visible(key)) return std::nullopt;
    return key;
}

std::optional<IdempotencyKey> read_idempotency_key(Call const& call) {
    auto const header = call.request().header("Idempotency-Key");
    if (!header) return std::nullopt;
    auto key = parse_idempotency_key(*header);
    if (!key) throw Problem(400, "invalid-idempotency-key", "Idempotency-Key is 1 to 255 visible ASCII characters.");
    auto bound_to = fmt::format("{} {}", call.principal().organization_text(), *key);
    return IdempotencyKey{
        .key = std::move(*key),
        .fingerprint = fingerprint_of(call),
        .sealing_key = call.route().secret ? std::string_view{call.shard().constants.answers_key} : std::string_view{},
        .bound_to = std::move(bound_to)};
}

task<std::optional<net::Response>> claim(postgres::TenantTx& tx, IdempotencyKey const& key) {
    queries::ClaimKey const claim_key{.key = key.key, .fingerprint = key.fingerprint};
    try {
        auto const claimed = co_await tx.one(claim_key);
        if (claimed) co_return std::nullopt;
    } catch (postgres::Timeout const&) {  // the first one is still at it
        throw in_progress();
    }
    queries::FindAnswer const find_answer{.key = key.key};
    auto found = co_await tx.one(find_answer);
    if (!found) throw in_progress();  // swept between the two statements: next time it is free
    if (found->fingerprint != key.fingerprint) {
        throw problems::conflict("idempotency-key-reused",
                                 "This Idempotency-Key was used before with another request.");
    }
    if (!found->status || !found->headers) throw in_progress();
    co_return to_response(std::move(*found), key);
}

task<> keep_and_commit(postgres::TenantTx& tx, IdempotencyKey const& key, net::Response const& response) {
    if (response.stream || response.upgrade)
        throw std::logic_error("The answer to a POST that takes a key is not streamed.");
    bool const has_type = !response.content_type.empty();
    KeptHeaders const kept{
        .content_type = has_type ? std::string(response.content_type) : copy(response.header("Content-Type")),
        .location = copy(response.header("Location")),
        .etag = copy(response.header("ETag"))};
    auto const text = json::encode(kept);
    std::string sealed;
    if (!key.sealing_key.empty()) sealed = seal(key.sealing_key, response.body, key.bound_to);
    queries::KeepAnswer const query{.status = response.status,
                                    .headers = postgres::JsonView{text},
                                    .body = key.sealing_key.empty() ? response.body : sealed,
                                    .key = key.key};
    co_await tx.commit_with(query);
}

task<std::uint64_t> sweep_idempotency_keys(postgres::SystemPool& system) {
    queries::SweepKeys const query;
    co_return co_await system.run("sweep_idempotency_keys", query, postgres::Lane::heavy);
}

}  // namespace buildplan::api
