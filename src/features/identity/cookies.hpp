// Cookies of a browser that signs in with `cookie: true`: the access token and the refresh token where no script can
// read them (HttpOnly), and a value that scripts of our own origin can read and must send back. SameSite=Lax keeps them
// from requests that another site makes; over https they are `__Host-` cookies (RFC 6265bis section 4.1.3.2), which no
// other host of the domain can set.
//
// A request that changes something and says who it is by cookie alone must prove that it comes from us: the header
// X-CSRF-Token equals the cookie, which another origin can neither read nor set, and the browser does not say that
// another site sent it (Sec-Fetch-Site). Without the proof: 403 `csrf`. Tokens in the Authorization header need none.
#pragma once

#include <string_view>

#include "api/response.hpp"
#include "core/problem.hpp"
#include "core/time.hpp"
#include "net/request.hpp"

namespace buildplan::identity {

struct SessionTokens;

// What this request's cookies are called: the prefix is there over https, and only there.
std::string_view access_cookie_name(net::Request const& request) noexcept;
std::string_view refresh_cookie_name(net::Request const& request) noexcept;
std::string_view csrf_cookie_name(net::Request const& request) noexcept;

// The cookies of a new session, or of one that was refreshed. The value for X-CSRF-Token stays when there is one.
void set_session_cookies(api::Response& response, net::Request const& request, SessionTokens const& tokens);
void set_access_cookie(api::Response& response, net::Request const& request, std::string_view token, Timestamp ends);
void clear_cookies(api::Response& response, net::Request const& request);

// Whether a request changes something, as its method says (RFC 9110 section 9.2.1).
bool is_unsafe(std::string_view method) noexcept;
// Whether it may be believed by its cookies alone.
bool has_csrf_proof(net::Request const& request);
// 403 `csrf`.
Problem csrf_problem();

}  // namespace buildplan::identity
