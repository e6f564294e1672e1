#include "features/identity/routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/page.hpp"
#include "api/problem_response.hpp"
#include "api/response.hpp"
#include "features/identity/cookies.hpp"
#include "features/identity/presented_token.hpp"
#include "features/identity/sign_in/accounts.hpp"
#include "features/identity/sign_in/login.hpp"
#include "features/identity/sign_in/registration.hpp"
#include "features/identity/sign_in/sessions.hpp"

namespace buildplan::identity {
namespace {

using api::Call;
using api::Response;
using api::Shard;

// None of these answers may be kept by anybody, nor compressed: they hold secrets beside what others can choose.
Response secret(Response response) {
    response.header("Cache-Control", "no-store");
    response.compress = false;
    return response;
}

Response refused(Problem const& problem, Call const& call) {
    return secret(api::problem_response(problem, call.request()));
}

Response done_or(std::optional<Problem> const& problem, Call const& call) {
    return problem ? refused(*problem, call) : secret(api::no_content());
}

// Tokens go into the body or, for a browser, into cookies alone.
template <class Answer>
Response with_tokens(int status, Answer answer, SessionTokens const& tokens, bool cookie, Call const& call) {
    answer.expires_at = tokens.access_ends;
    if (!cookie) {
        answer.token = tokens.access;
        answer.refresh_token = tokens.refresh;
    }
    auto response = secret(api::json_response(status, answer));
    if (cookie) set_session_cookies(response, call.request(), tokens);
    return response;
}

task<Response> register_person(Shard&, Call const& call) {
    auto wanted = call.json<Registration>();
    bool const cookie = wanted.cookie;
    auto made = co_await register_account(call, std::move(wanted));
    if (!made) co_return refused(made.error(), call);
    Registered answer;
    answer.user = std::move(made->user);
    answer.organization = std::move(made->organization);
    auto response = with_tokens(201, std::move(answer), made->tokens, cookie, call);
    response.header("Location", "/auth/me");
    co_return response;
}

task<Response> log_in_person(Shard&, Call const& call) {
    auto wanted = call.json<Login>();
    bool const cookie = wanted.cookie;
    auto found = co_await log_in(call, std::move(wanted));
    if (!found) co_return refused(found.error(), call);
    LoggedIn answer;
    answer.organizations = std::move(found->organizations);
    co_return with_tokens(200, std::move(answer), found->tokens, cookie, call);
}

task<Response> switch_organization(Shard&, Call const& call) {
    auto const wanted = call.json<OrganizationChoice>();
    auto entered = co_await enter(call, wanted.organization_id);
    if (!entered) co_return refused(problems::not_found(), call);
    auto& there = entered->membership;
    bool const cookie = token_of(call.request()).from_cookie;
    Entered answer{.token = cookie ? std::nullopt : std::optional{entered->access},
                   .expires_at = entered->access_ends,
                   .organization = {there.id, std::move(there.name), std::move(there.slug)},
                   .roles = {std::move(there.role)}};
    auto response = secret(api::ok(answer));
    if (cookie) set_access_cookie(response, call.request(), entered->access, entered->access_ends);
    co_return response;
}

task<Response> refresh_tokens(Shard&, Call const& call) {
    auto const wanted = call.json<Refresh>();
    bool const by_cookie = !wanted.refresh_token;
    if (by_cookie && cookie(call.request(), refresh_cookie_name(call.request())).empty())
        throw problems::invalid_field("/refreshToken", "required",
                                      "Send a refresh token, or the cookie that holds one.");
    if (by_cookie && !has_csrf_proof(call.request())) co_return refused(csrf_problem(), call);
    std::string const token{by_cookie ? cookie(call.request(), refresh_cookie_name(call.request()))
                                      : std::string_view{*wanted.refresh_token}};
    auto const renewed = co_await refresh(call, token);
    if (!renewed) {
        auto response = refused(renewed.error(), call);
        if (by_cookie && renewed.error().status == 401) clear_cookies(response, call.request());
        co_return response;
    }
    co_return with_tokens(200, TokenPair{}, *renewed, by_cookie, call);
}

Response signed_out(Call const& call) {
    auto response = secret(api::no_content());
    if (token_of(call.request()).from_cookie) clear_cookies(response, call.request());
    return response;
}

task<Response> log_out(Shard&, Call const& call) {
    auto const who = signed_in(call);
    co_await end_session(call, who.session, "logout");
    co_return signed_out(call);
}

task<Response> log_out_everywhere(Shard&, Call const& call) {
    co_await end_all_sessions(call);
    co_return signed_out(call);
}

task<Response> get_me(Shard&, Call const& call) {
    auto const found = co_await me(call);
    co_return api::ok(found);
}

task<Response> list_sessions(Shard& shard, Call const& call) {
    auto const who = signed_in(call);
    auto found =
        co_await sessions_of(shard, who.user, who.session, call.after<Timestamp, SessionId>(), api::rows_for(call));
    auto const item = [](SessionShown&& session) { return std::move(session); };
    auto const key = [](SessionShown const& session) { return std::tuple{session.created_at, session.id}; };
    co_return api::ok(api::page_of(call, std::move(found), item, key));
}

task<Response> end_one_session(Shard&, Call const& call) {
    auto const who = signed_in(call);
    auto const session = call.path<SessionId>("sessionId");
    bool const ended = co_await end_session(call, session, "ended by its owner");
    if (!ended) co_return refused(problems::not_found(), call);
    co_return session == who.session ? signed_out(call) : secret(api::no_content());
}

task<Response> change_my_password(Shard&, Call const& call) {
    auto wanted = call.json<PasswordChange>();
    auto const problem = co_await change_password(call, std::move(wanted));
    co_return done_or(problem, call);
}

task<Response> ask_for_password_reset(Shard&, Call const& call) {
    auto wanted = call.json<ForgottenPassword>();
    auto const problem = co_await forgot_password(call, std::move(wanted));
    co_return problem ? refused(*problem, call) : secret(Response{202});
}

task<Response> reset_my_password(Shard&, Call const& call) {
    auto wanted = call.json<PasswordReset>();
    auto const problem = co_await reset_password(call, std::move(wanted));
    co_return done_or(problem, call);
}

task<Response> verify_my_email(Shard&, Call const& call) {
    auto proof = call.json<EmailProof>();
    auto const problem = co_await verify_email(call, std::move(proof));
    co_return done_or(problem, call);
}

task<Response> ask_for_verification(Shard&, Call const& call) {
    auto const problem = co_await resend_verification(call);
    co_return problem ? refused(*problem, call) : secret(Response{202});
}

constexpr auto signing_in = api::tag("Signing in", "Accounts, passwords, sessions and their tokens.");
constexpr auto too_many = api::fails(429, "too-many-attempts", "Tried too often; Retry-After says when to go on.");
constexpr auto no_session = api::fails(403, "session-required", "A key signs nobody in or out; this wants a session.");
constexpr auto bad_link = api::fails(400, "invalid-token", "The link was used before, is too old or is incomplete.");

constexpr auto small = api::body_limit(16 * 1024);

constexpr api::Route table[] = {
    {"POST", "/auth/register", api::open, api::handle<register_person>, "Register and begin an organization",
     signing_in,
     api::describe("Makes the person, their organization on the tier FREE with them as its OWNER, and a session that "
                   "works there, and writes a mail that lets them verify their address. Idempotency-Key is not heeded "
                   "here: a repeat is told `email-taken`."),
     small, api::body<Registration>.example(R"({"name": "Ada Lovelace", "email": "ada@example.com",
         "password": "a long sentence is a good password", "organizationName": "Analytical Engines"})"),
     api::returns<Registered>(201).example(
         R"({"token": "eyJhbGciOiJFZERTQSJ9.e30.c2ln", "refreshToken": "bp_ref_3q2-7w",
         "expiresAt": "2026-11-23T17:35:46.123Z",
         "user": {"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f", "email": "ada@example.com", "name": "Ada Lovelace",
                  "emailVerified": false, "mfaEnabled": false, "createdAt": "2026-11-23T17:20:46.123Z"},
         "organization": {"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70", "name": "Analytical Engines",
                          "slug": "analytical-engines"}})"),
     api::fails(409, "email-taken", "There is an account with this email address."), too_many},
    {"POST", "/auth/login", api::open, api::handle<log_in_person>, "Sign in", signing_in,
     api::describe("Begins a session. An unknown address and a wrong password are answered alike. Idempotency-Key is "
                   "not heeded here: each call begins a session."),
     small,
     api::body<Login>.example(R"({"email": "ada@example.com", "password": "a long sentence is a good password"})"),
     api::returns<LoggedIn>().example(R"({"token": "eyJhbGciOiJFZERTQSJ9.e30.c2ln", "refreshToken": "bp_ref_3q2-7w",
         "expiresAt": "2026-11-23T17:35:46.123Z", "organizations": [{"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70",
         "name": "Analytical Engines", "slug": "analytical-engines", "role": "OWNER"}]})"),
     api::fails(401, "invalid-credentials", "The email address or the password is wrong."), too_many},
    {"POST", "/auth/switch-org", api::any_principal, api::handle<switch_organization>, "Work in an organization",
     signing_in, api::describe("Gives an access token that speaks for that organization; refreshing keeps to it."),
     small, api::body<OrganizationChoice>.example(R"({"organizationId": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70"})"),
     api::returns<Entered>().example(R"({"token": "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
         "expiresAt": "2026-11-23T17:35:46.123Z", "organization": {"id": "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d70",
         "name": "Analytical Engines", "slug": "analytical-engines"}, "roles": ["OWNER"]})"),
     no_session},
    {"POST", "/auth/refresh", api::open, api::handle<refresh_tokens>, "Get new tokens", signing_in,
     api::describe("Exchanges a refresh token, once. The same answer comes again for ten seconds, for whoever lost it; "
                   "after that a token that was used before ends its session, because two have it. A browser sends {} "
                   "with its cookies and X-CSRF-Token."),
     small, api::body<Refresh>.example(R"({"refreshToken": "bp_ref_3q2-7w"})"),
     api::returns<TokenPair>().example(R"({"token": "eyJhbGciOiJFZERTQSJ9.e30.c2ln", "refreshToken": "bp_ref_3q2-7w",
         "expiresAt": "2026-11-23T17:35:46.123Z"})"),
     api::fails(401, "invalid-refresh-token", "The refresh token is unknown, used, expired or revoked."), too_many},
    {"POST", "/auth/logout", api::any_principal, api::handle<log_out>, "Sign out", signing_in, api::returns_nothing(),
     no_session},
    {"POST", "/auth/logout-everywhere", api::any_principal, api::handle<log_out_everywhere>, "Sign out everywhere",
     signing_in, api::describe("Ends all sessions of the person, this one too."), api::returns_nothing(), no_session},
    {"GET", "/auth/me", api::any_principal, api::handle<get_me>, "Who I am", signing_in,
     api::describe("The person, where they work now, what they may do there, and where they are a member."),
     api::returns<Me>(), api::fails(403, "person-required", "A person who is signed in does this, not a key.")},
    {"GET", "/v1/sessions", api::any_principal, api::handle<list_sessions>, "List my sessions", signing_in,
     api::paged("-createdAt"), api::returns<api::Page<SessionShown>>(), no_session},
    {"DELETE", "/v1/sessions/{sessionId}", api::any_principal, api::handle<end_one_session>, "End a session",
     signing_in, api::describe("Its tokens are refused on every instance within a second."), api::returns_nothing(),
     no_session},
    {"POST", "/auth/change-password", api::any_principal, api::handle<change_my_password>, "Change my password",
     signing_in, api::describe("Ends all other sessions of the person."), small,
     api::body<PasswordChange>.example(R"({"currentPassword": "a long sentence is a good password",
         "newPassword": "another long sentence is one, too"})"),
     api::returns_nothing(), api::fails(403, "wrong-password", "The current password is another one."), no_session,
     too_many},
    {"POST", "/auth/forgot-password", api::open, api::handle<ask_for_password_reset>, "Ask for a new password",
     signing_in, api::describe("A mail goes out if there is such an account; the answer is the same if there is none."),
     small, api::body<ForgottenPassword>.example(R"({"email": "ada@example.com"})"), api::returns_nothing(202),
     too_many},
    {"POST", "/auth/reset-password", api::open, api::handle<reset_my_password>, "Set a new password", signing_in,
     api::describe("With the token of the mail, which holds for an hour and once. Ends all sessions of the person."),
     small, api::body<PasswordReset>.example(R"({"token": "2m3hVn5W8l3yqk1sR0zXbQ",
         "newPassword": "another long sentence is one, too"})"),
     api::returns_nothing(), bad_link, too_many},
    {"POST", "/auth/verify-email", api::open, api::handle<verify_my_email>, "Verify my email address", signing_in,
     api::describe("With the token of the mail, which holds for three days and once."), small,
     api::body<EmailProof>.example(R"({"token": "2m3hVn5W8l3yqk1sR0zXbQ"})"), api::returns_nothing(), bad_link,
     too_many},
    {"POST", "/auth/resend-verification", api::any_principal, api::handle<ask_for_verification>,
     "Send the verification mail again", signing_in, api::returns_nothing(202),
     api::fails(409, "already-verified", "The email address was verified before."), no_session, too_many},
};

}  // namespace

std::span<api::Route const> routes() noexcept { return table; }

}  // namespace buildplan::identity
