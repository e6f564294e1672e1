#include "features/identity/cookies.hpp"

#include "core/crypto.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "features/identity/presented_token.hpp"
#include "features/identity/sign_in/sessions.hpp"

namespace buildplan::identity {
namespace {

constexpr std::size_t csrf_bytes = 24;

bool is_https(net::Request const& request) noexcept { return request.scheme == "https"; }

void set(api::Response& response, net::Request const& request, std::string_view name, std::string_view value,
         Timestamp ends, bool http_only) {
    auto const seconds = std::chrono::floor<std::chrono::seconds>(ends - now()).count();
    response.header("Set-Cookie",
                    fmt::format("{}={}; Path=/; Max-Age={}; SameSite=Lax{}{}", name, value, std::max<long>(seconds, 0),
                                is_https(request) ? "; Secure" : "", http_only ? "; HttpOnly" : ""));
}

}  // namespace

std::string_view access_cookie_name(net::Request const& request) noexcept {
    return is_https(request) ? "__Host-bp_access" : "bp_access";
}
std::string_view refresh_cookie_name(net::Request const& request) noexcept {
    return is_https(request) ? "__Host-bp_refresh" : "bp_refresh";
}
std::string_view csrf_cookie_name(net::Request const& request) noexcept {
    return is_https(request) ? "__Host-bp_csrf" : "bp_csrf";
}

void set_session_cookies(api::Response& response, net::Request const& request, SessionTokens const& tokens) {
    set_access_cookie(response, request, tokens.access, tokens.access_ends);
    set(response, request, refresh_cookie_name(request), tokens.refresh, tokens.refresh_ends, true);
    // Kept while it is one of ours, since other tabs have it; else a new one.
    auto const kept = from_base64url(cookie(request, csrf_cookie_name(request)));
    auto const value = base64url(kept && kept->size() == csrf_bytes ? *kept : random_bytes(csrf_bytes));
    set(response, request, csrf_cookie_name(request), value, tokens.refresh_ends, false);
}

void set_access_cookie(api::Response& response, net::Request const& request, std::string_view token, Timestamp ends) {
    set(response, request, access_cookie_name(request), token, ends, true);
}

void clear_cookies(api::Response& response, net::Request const& request) {
    for (auto const name : {access_cookie_name(request), refresh_cookie_name(request), csrf_cookie_name(request)})
        set(response, request, name, "", now(), name != csrf_cookie_name(request));
}

bool is_unsafe(std::string_view method) noexcept { return method != "GET" && method != "HEAD" && method != "OPTIONS"; }

bool has_csrf_proof(net::Request const& request) {
    auto const site = request.header("Sec-Fetch-Site");
    if (site && *site == "cross-site") return false;
    auto const sent = request.header("X-CSRF-Token").value_or("");
    auto const kept = cookie(request, csrf_cookie_name(request));
    return !kept.empty() && equal_in_constant_time(sent, kept);
}

Problem csrf_problem() {
    return {403, "csrf", "A request that is signed in by cookie sends X-CSRF-Token with the value of the CSRF cookie."};
}

}  // namespace buildplan::identity
