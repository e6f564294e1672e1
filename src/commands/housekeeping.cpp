#include "commands/housekeeping.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "api/idempotency.hpp"
#include "commands/options.hpp"
#include "features/billing/usage_meter.hpp"
#include "features/identity/sign_in/sweep.hpp"
#include "features/identity/tokens/revocation_feed.hpp"
#include "features/organizations/service.hpp"
#include "queue/outbox/relay.hpp"

namespace buildplan::commands {

void Housekeeping::start(std::chrono::steady_clock::duration period) {
    auto pass = gate_.enter();
    asio::co_spawn(loop_.io(), run(std::move(pass), period),
                   asio::bind_cancellation_slot(cancel_.slot(), [](std::exception_ptr const&) {}));
}

task<> Housekeeping::stop() {
    cancel_.emit(asio::cancellation_type::terminal);
    co_await gate_.close();
}

task<> Housekeeping::run(Gate::Pass pass, std::chrono::steady_clock::duration period) {
    auto const held = std::move(pass);
    for (;;) {
        co_await sleep_for(period);
        co_await round();
    }
}

task<> Housekeeping::round() {
    try {
        co_await sweep();
        co_await renew_keys();
    } catch (boost::system::system_error const&) {
        throw;  // cancelled
    } catch (std::exception const& error) {
        loop_.log().warning("housekeeping will try again", {{"error", error.what()}});
    }
}

task<> Housekeeping::sweep() {
    auto const swept = co_await api::sweep_idempotency_keys(system_);
    if (swept > 0) loop_.log().info("swept idempotency keys", {{"rows", swept}});
    auto const notes = co_await identity::sweep_revocations(system_);
    if (notes > 0) loop_.log().info("swept revocations", {{"rows", notes}});
    auto const sign_ins = co_await identity::sweep_sign_ins(system_);
    if (sign_ins > 0) loop_.log().info("swept sessions and mailed tokens", {{"rows", sign_ins}});
    auto const meters = co_await billing::sweep_usage_meters(system_);
    if (meters > 0) loop_.log().info("swept usage meters", {{"rows", meters}});
    auto const events = co_await queue::outbox::sweep_outbox(system_);
    if (events > 0) loop_.log().info("swept the outbox", {{"rows", events}});
    auto const gone = co_await organizations::purge_deleted_organizations(system_);
    if (gone > 0) loop_.log().info("purged organizations", {{"rows", gone}});
}

task<> Housekeeping::renew_keys() {
    auto const options = token_options(settings_);
    identity::KeyStore store(system_, options.secret, options.times);
    bool const rotated = co_await store.rotate_when_older(settings_.tokens.rotate_after);
    if (rotated) loop_.log().info("a new signing key will sign from now on", {});
    co_await store.sweep();
}

}  // namespace buildplan::commands
