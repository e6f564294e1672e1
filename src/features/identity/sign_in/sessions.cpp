#include "features/identity/sign_in/sessions.hpp"

#include "core/crypto.hpp"
#include "core/keyset.hpp"
#include "features/identity/revocations.hpp"
#include "features/identity/sign_in/entrance.hpp"
#include "features/identity/sign_in/queries.gen.hpp"
#include "features/identity/tokens/issuer.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {
namespace {

namespace queries = sign_in::queries;

constexpr std::string_view work = "sign_in";

Problem invalid_refresh_token() {
    return {401, "invalid-refresh-token", "The refresh token is unknown, used, expired or revoked. Sign in again."};
}

std::optional<std::string_view> if_any(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

using Found = queries::FindSession::Row;

bool was_just_used(Found const& found, std::string_view hash) {
    return found.previous_refresh_hash && equal_in_constant_time(*found.previous_refresh_hash, hash) &&
           found.rotated_at && *found.rotated_at + refresh_again > now();
}

Timestamp renewed(Found const& found) { return std::min(now() + session_idle, found.created_at + session_longest); }

task<SessionTokens> renew(api::Shard& shard, Found const& found, RefreshToken const& next, Timestamp ends) {
    auto const organization = found.is_member ? found.organization_id : std::nullopt;
    auto access = co_await issue_access_token(shard, next.session, found.user_id, organization);
    co_return SessionTokens{std::move(access.text), access.expires_at, next.text, ends};
}

// Two have it, so neither is believed.
task<> end_for_reuse(api::Call const& call, Found const& found, SessionId session) {
    auto& shard = call.shard();
    auto const target = session.to_string();
    queries::RevokeSession const revoke{
        .reason = "refresh token reused", .session_id = session, .user_id = found.user_id};
    queries::Record const record{.action = "session.reuse_detected",
                                 .target_kind = "session",
                                 .target_id = target,
                                 .user_id = found.user_id,
                                 .organization_id = found.organization_id};
    auto tx = shard.system.begin(work, call.actor(Actor::of(found.user_id)));
    if (co_await tx.run(revoke) == 0) co_return;  // somebody else ended it
    co_await tx.commit_with(record);
    announce_revoked(shard, {session.value});
    call.log().warning("refresh token used twice; session ended", {{"session", target}});
}

}  // namespace

task<SessionTokens> open_session(api::Shard& shard, postgres::SystemTx& tx, UserId user,
                                 std::optional<OrganizationId> organization, Origin origin) {
    auto const session = SessionId::make();
    auto refresh_token = shard.entrance->refresh_tokens.make(session);
    auto const hash = refresh_token.hash();
    auto const ends = now() + session_idle;
    queries::CreateSession const create{.session_id = session,
                                        .user_id = user,
                                        .organization_id = organization,
                                        .refresh_hash = hash,
                                        .expires_at = ends,
                                        .user_agent = if_any(origin.user_agent),
                                        .address = origin.address};
    queries::EndOldestSessions const make_room{.user_id = user, .most = most_sessions};
    co_await tx.pipeline(create, make_room);
    auto access = co_await issue_access_token(shard, session, user, organization);
    co_return SessionTokens{std::move(access.text), access.expires_at, std::move(refresh_token.text), ends};
}

task<std::expected<SessionTokens, Problem>> refresh(api::Call const& call, std::string_view refresh_token) {
    auto& shard = call.shard();
    auto const origin = Origin::of(call.request());
    auto const counted = co_await shard.entrance->attempts.token_from(origin.address);
    if (counted.wait) co_return std::unexpected(too_many_attempts(*counted.wait));
    auto const token = RefreshTokens::parse(refresh_token);
    if (!token) co_return std::unexpected(invalid_refresh_token());
    auto const hash = token->hash();
    auto const next = shard.entrance->refresh_tokens.successor(*token);
    auto const next_hash = next.hash();

    // Twice: somebody else may use the same token between the two statements.
    for (int attempt = 0; attempt < 2; ++attempt) {
        queries::FindSession const find{.session_id = token->session};
        auto const found = co_await shard.system.one(work, find);
        if (!found || found->revoked_at || found->expires_at <= now())
            co_return std::unexpected(invalid_refresh_token());
        if (equal_in_constant_time(found->refresh_hash, hash)) {
            auto const ends = renewed(*found);
            queries::RotateSession const rotate{.refresh_hash = next_hash,
                                                .expires_at = ends,
                                                .address = origin.address,
                                                .session_id = token->session,
                                                .used_hash = hash};
            if (co_await shard.system.run(work, rotate) == 0) continue;
            shard.entrance->attempts.take_back(counted);
            co_return co_await renew(shard, *found, next, ends);
        }
        if (was_just_used(*found, hash) && equal_in_constant_time(found->refresh_hash, next_hash))
            co_return co_await renew(shard, *found, next, found->expires_at);
        if (shard.entrance->refresh_tokens.is_ours(*token)) co_await end_for_reuse(call, *found, token->session);
        break;
    }
    co_return std::unexpected(invalid_refresh_token());
}

task<std::vector<SessionShown>> sessions_of(api::Shard& shard, UserId user, SessionId current, AfterSession after,
                                            std::int64_t limit) {
    auto const [before, before_id] = after.value_or(std::tuple{end_of_time, last_id<SessionId>()});
    queries::ListSessions const list{.user_id = user, .before = before, .before_id = before_id, .limit = limit};
    auto rows = co_await shard.system.all(work, list);
    std::vector<SessionShown> shown;
    shown.reserve(rows.size());
    for (auto& row : rows) {
        shown.push_back({.id = row.id,
                         .current = row.id == current,
                         .user_agent = std::move(row.user_agent),
                         .address = std::move(row.address),
                         .created_at = row.created_at,
                         .last_used_at = row.last_used_at,
                         .expires_at = row.expires_at});
    }
    co_return shown;
}

task<bool> end_session(api::Call const& call, SessionId session, std::string_view reason) {
    auto& shard = call.shard();
    auto const user = *call.principal().user();
    auto const target = session.to_string();
    queries::RevokeSession const revoke{.reason = reason, .session_id = session, .user_id = user};
    queries::Record const record{
        .action = "session.ended", .target_kind = "session", .target_id = target, .user_id = user};
    auto tx = shard.system.begin(work, call.actor());
    if (co_await tx.run(revoke) == 0) co_return false;
    co_await tx.commit_with(record);
    announce_revoked(shard, {session.value});
    co_return true;
}

task<> end_all_sessions(api::Call const& call) {
    auto& shard = call.shard();
    auto const who = signed_in(call);
    auto const target = who.user.to_string();
    queries::Record const record{
        .action = "user.signed_out_everywhere", .target_kind = "user", .target_id = target, .user_id = who.user};
    auto tx = shard.system.begin(work, call.actor());
    auto ended = co_await end_sessions(tx, who.user, {}, "logout everywhere");
    co_await tx.commit_with(record);
    announce_revoked(shard, std::move(ended));
}

task<std::vector<Uuid>> end_sessions(postgres::SystemTx& tx, UserId user, std::optional<SessionId> except,
                                     std::string_view reason) {
    queries::RevokeSessions const revoke{.reason = reason, .user_id = user, .except = except};
    auto const rows = co_await tx.all(revoke);
    std::vector<Uuid> ended;
    ended.reserve(rows.size());
    for (auto const& row : rows) ended.push_back(row.id.value);
    co_return ended;
}

SignedIn signed_in(api::Call const& call) {
    auto const& who = call.principal();
    if (!who.user() || !who.session())
        throw Problem(403, "session-required", "This is for somebody who is signed in; a key cannot do it.");
    return {*who.user(), *who.session()};
}

}  // namespace buildplan::identity
