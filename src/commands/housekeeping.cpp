#include "commands/housekeeping.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "api/idempotency.hpp"

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
        auto const swept = co_await api::sweep_idempotency_keys(system_);
        if (swept > 0) loop_.log().info("swept idempotency keys", {{"rows", swept}});
    } catch (boost::system::system_error const&) {
        throw;  // cancelled
    } catch (std::exception const& error) {
        loop_.log().warning("housekeeping will try again", {{"error", error.what()}});
    }
}

}  // namespace buildplan::commands
