#include "features/identity/sign_in/attempts.hpp"

#include "core/crypto.hpp"
#include "core/text.hpp"
#include "features/identity/sign_in/origin.hpp"

namespace buildplan::identity {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// A whole office signs in from one address, and what succeeds is not counted.
constexpr AttemptLimit place_limits[] = {{"sign-in-place", 30, minutes{1}}, {"sign-in-place", 300, hours{1}}};
constexpr AttemptLimit pair_limits[] = {{"sign-in-pair", 5, minutes{1}}, {"sign-in-pair", 30, hours{1}}};
constexpr AttemptLimit stranger_limits[] = {{"sign-in-strangers", 60, hours{1}}};
constexpr AttemptLimit registration_limits[] = {{"register", 10, minutes{1}}, {"register", 60, hours{1}}};
constexpr AttemptLimit mail_from_limits[] = {{"mail-from", 10, minutes{1}}, {"mail-from", 60, hours{1}}};
constexpr AttemptLimit mail_to_limits[] = {{"mail-to", 5, hours{1}}};
constexpr AttemptLimit token_limits[] = {{"token-from", 60, minutes{1}}};

redis::RateWindow window_of(AttemptLimit const& limit, std::string_view subject) {
    auto const name = std::string(limit.name) + '-' + std::to_string(limit.length.count());
    return redis::RateWindow::at(now(), to_hex(sha256(subject)).substr(0, 32), name, limit.length);
}

std::string pair_of(std::string_view email_lc, std::string_view address) {
    return std::string(email_lc) + ' ' + place_of(address);
}

}  // namespace

Problem too_many_attempts(std::chrono::seconds wait) {
    return Problem(429, "too-many-attempts", "This was tried too often; Retry-After says when to go on.")
        .retry_in(wait);
}

task<Attempts::Counted> Attempts::count(std::span<AttemptLimit const> limits, std::string subject) {
    Counted counted;
    if (!counts_) co_return counted;
    for (auto const& limit : limits) {
        auto const window = window_of(limit, subject);
        counted.windows.push_back(window);
        auto const count = co_await counter_.count(window);
        if (count.calls <= limit.calls) continue;
        if (!counted.wait || *counted.wait < count.resets_in) counted.wait = count.resets_in;
    }
    co_return counted;
}

void Attempts::forget(std::span<AttemptLimit const> limits, std::string_view subject) {
    for (auto const& limit : limits) counter_.forget(window_of(limit, subject));
}

task<Attempts::Counted> Attempts::at_place(std::string_view address) { return count(place_limits, place_of(address)); }

task<Attempts::Counted> Attempts::at_account(std::string_view email_lc, std::string_view address, bool knows_address) {
    auto counted = co_await count(pair_limits, pair_of(email_lc, address));
    if (knows_address || counted.wait) co_return counted;
    auto strangers = co_await count(stranger_limits, std::string(email_lc));
    counted.wait = strangers.wait;
    counted.windows.insert(counted.windows.end(), strangers.windows.begin(), strangers.windows.end());
    co_return counted;
}

void Attempts::take_back(Counted const& counted) {
    for (auto const& window : counted.windows) counter_.take_back(window);
}

void Attempts::forget(std::string_view email_lc, std::string_view address) {
    forget(pair_limits, pair_of(email_lc, address));
    forget(stranger_limits, email_lc);
}

task<Attempts::Counted> Attempts::registration(std::string_view address) {
    return count(registration_limits, place_of(address));
}

task<Attempts::Counted> Attempts::mail_from(std::string_view address) {
    return count(mail_from_limits, place_of(address));
}

task<Attempts::Counted> Attempts::mail_to(std::string_view email_lc) {
    return count(mail_to_limits, std::string(email_lc));
}

task<Attempts::Counted> Attempts::token_from(std::string_view address) {
    return count(token_limits, place_of(address));
}

}  // namespace buildplan::identity
