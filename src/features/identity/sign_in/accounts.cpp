#include "features/identity/sign_in/accounts.hpp"

#include "core/text.hpp"
#include "features/identity/revocations.hpp"
#include "features/identity/sign_in/entrance.hpp"
#include "features/identity/sign_in/letters.hpp"
#include "features/identity/sign_in/queries.gen.hpp"
#include "features/identity/sign_in/sessions.hpp"
#include "postgres/pool.hpp"

namespace buildplan::identity {
namespace {

namespace queries = sign_in::queries;

constexpr std::string_view work = "account";

using Account = queries::FindUser::Row;

Problem invalid_token() {
    return {400, "invalid-token", "The link was used before, is too old or is incomplete. Ask for a new one."};
}

// Keeps the new password, ends the sessions that the old one opened, and says so in the log and by mail.
task<> keep_password(api::Call const& call, postgres::SystemTx& tx, Account const& account, std::string hash,
                     std::optional<SessionId> except, std::string_view action) {
    auto const target = account.id.to_string();
    queries::ChangePassword const change{.password_hash = hash, .user_id = account.id};
    queries::CancelUserTokens const cancel{.user_id = account.id, .purpose = purpose_of(Letter::reset_password)};
    queries::Record const record{.action = action, .target_kind = "user", .target_id = target, .user_id = account.id};
    co_await tx.pipeline(change, cancel);
    auto ended = co_await end_sessions(tx, account.id, except, "password changed");
    co_await write_news(tx, "mail.password_changed", account.id, account.email, account.name);
    // Last, since the log of an organization is held from here on.
    co_await tx.commit_with(record);
    announce_revoked(call.shard(), std::move(ended));
}

task<Account> account_of(postgres::SystemTx& tx, UserId user) {
    queries::FindUser const find{.user_id = user};
    auto found = co_await tx.one(find);
    if (!found) throw problems::not_found();
    co_return std::move(*found);
}

// Everything after the answer of forgot_password. Owns what it uses: the request is gone.
task<> write_reset_letter(api::Shard& shard, Gate::Pass, std::string email_lc, std::string address,
                          std::string request_id) {
    auto const counted = co_await shard.entrance->attempts.mail_to(email_lc);
    if (counted.wait) co_return;
    queries::FindCredentials const find{.address = address, .email_lc = email_lc};
    auto found = co_await shard.system.one(work, find);
    if (!found) co_return;
    auto actor = Actor::of(found->id);
    actor.address = std::move(address);
    actor.request_id = std::move(request_id);
    auto tx = shard.system.begin(work, actor);
    co_await write_letter(tx, Letter::reset_password, found->id, std::move(found->email), std::move(found->name));
    auto const target = found->id.to_string();
    queries::Record const record{
        .action = "user.password_forgotten", .target_kind = "user", .target_id = target, .user_id = found->id};
    co_await tx.commit_with(record);
}

}  // namespace

task<std::optional<Problem>> change_password(api::Call const& call, PasswordChange wanted) {
    auto& shard = call.shard();
    auto& entrance = *shard.entrance;
    auto const who = signed_in(call);
    auto const origin = Origin::of(call.request());
    queries::FindUser const find{.user_id = who.user};
    auto const account = co_await shard.system.one(work, find);
    if (!account) throw problems::not_found();
    // A stolen token must not guess the password that it does not have.
    auto const counted = co_await entrance.attempts.at_account(ascii_lower(account->email), origin.address, true);
    if (counted.wait) co_return too_many_attempts(*counted.wait);
    if (auto refused = refuse_password(wanted.new_password, account->email, account->name, "/newPassword"))
        co_return problems::invalid({std::move(*refused)});
    bool const fits = co_await entrance.passwords.fits(account->password_hash, std::move(wanted.current_password));
    if (!fits) co_return Problem(403, "wrong-password", "The current password is another one.");
    entrance.attempts.take_back(counted);
    auto hash = co_await entrance.passwords.hash(std::move(wanted.new_password));
    auto tx = shard.system.begin(work, call.actor());
    co_await keep_password(call, tx, *account, std::move(hash), who.session, "user.password_changed");
    co_return std::nullopt;
}

task<std::optional<Problem>> forgot_password(api::Call const& call, ForgottenPassword wanted) {
    auto& shard = call.shard();
    auto const origin = Origin::of(call.request());
    auto const counted = co_await shard.entrance->attempts.mail_from(origin.address);
    if (counted.wait) co_return too_many_attempts(*counted.wait);
    shard.loop.spawn("write reset letter",
                     write_reset_letter(shard, shard.entrance->behind.enter(), ascii_lower(wanted.email),
                                        std::string(origin.address), std::string(origin.request_id)));
    co_return std::nullopt;
}

task<std::optional<Problem>> reset_password(api::Call const& call, PasswordReset wanted) {
    auto& shard = call.shard();
    auto& entrance = *shard.entrance;
    auto const origin = Origin::of(call.request());
    auto const counted = co_await entrance.attempts.token_from(origin.address);
    if (counted.wait) co_return too_many_attempts(*counted.wait);
    auto const token_hash = hash_of_mailed(wanted.token);
    auto const purpose = purpose_of(Letter::reset_password);
    queries::FindUserToken const look{.token_hash = token_hash, .purpose = purpose};
    auto const holder = co_await shard.system.one(work, look);
    if (!holder) co_return invalid_token();
    queries::FindUser const find{.user_id = holder->user_id};
    auto const account = co_await shard.system.one(work, find);
    if (!account) co_return invalid_token();
    if (auto refused = refuse_password(wanted.new_password, account->email, account->name, "/newPassword"))
        co_return problems::invalid({std::move(*refused)});
    auto hash = co_await entrance.passwords.hash(std::move(wanted.new_password));
    auto tx = shard.system.begin(work, call.actor(Actor::of(account->id)));
    queries::UseUserToken const use{.token_hash = token_hash, .purpose = purpose};
    auto const used = co_await tx.one(use);  // of two at once, one
    if (!used) {
        co_await tx.rollback();
        co_return invalid_token();
    }
    // Whoever read the mail has shown that the mailbox is theirs.
    queries::VerifyEmail const verify{.user_id = account->id};
    co_await tx.run(verify);
    co_await keep_password(call, tx, *account, std::move(hash), {}, "user.password_reset");
    entrance.attempts.forget(ascii_lower(account->email), origin.address);
    co_return std::nullopt;
}

task<std::optional<Problem>> verify_email(api::Call const& call, EmailProof proof) {
    auto& shard = call.shard();
    auto const origin = Origin::of(call.request());
    auto const counted = co_await shard.entrance->attempts.token_from(origin.address);
    if (counted.wait) co_return too_many_attempts(*counted.wait);
    auto const token_hash = hash_of_mailed(proof.token);
    auto const purpose = purpose_of(Letter::verify_email);
    queries::FindUserToken const look{.token_hash = token_hash, .purpose = purpose};
    auto const holder = co_await shard.system.one(work, look);
    if (!holder) co_return invalid_token();
    auto const user = holder->user_id;
    auto tx = shard.system.begin(work, call.actor(Actor::of(user)));
    queries::UseUserToken const use{.token_hash = token_hash, .purpose = purpose};
    auto const used = co_await tx.one(use);
    if (!used) {
        co_await tx.rollback();
        co_return invalid_token();
    }
    auto const target = user.to_string();
    queries::VerifyEmail const verify{.user_id = user};
    queries::Record const record{
        .action = "user.email_verified", .target_kind = "user", .target_id = target, .user_id = user};
    co_await tx.run(verify);
    co_await tx.commit_with(record);
    co_return std::nullopt;
}

task<std::optional<Problem>> resend_verification(api::Call const& call) {
    auto& shard = call.shard();
    auto const who = signed_in(call);
    auto tx = shard.system.begin(work, call.actor());
    auto account = co_await account_of(tx, who.user);
    if (account.email_verified) co_return Problem(409, "already-verified", "This email address was verified before.");
    auto const counted = co_await shard.entrance->attempts.mail_to(ascii_lower(account.email));
    if (counted.wait) co_return too_many_attempts(*counted.wait);
    co_await write_letter(tx, Letter::verify_email, who.user, std::move(account.email), std::move(account.name));
    co_await tx.commit();
    co_return std::nullopt;
}

}  // namespace buildplan::identity
