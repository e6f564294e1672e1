#include "queue/fair/background.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

namespace buildplan::queue::fair {

void Background::spawn(std::string_view name, task<> work) {
    if (stopped_) return;
    auto pass = gate_.enter();
    auto const signal = signals_.emplace(signals_.end());
    auto ended = [this, signal, name = std::string(name),
                  pass = std::move(pass)](std::exception_ptr const& error) mutable {
        try {
            if (error) std::rethrow_exception(error);
        } catch (boost::system::system_error const& e) {
            if (e.code() != asio::error::operation_aborted) {
                loop_.log().error("task failed", {{"task", name}, {"error", e.what()}});
            }
        } catch (std::exception const& e) {
            loop_.log().error("task failed", {{"task", name}, {"error", e.what()}});
        }
        // Later: it may have ended while its signal is being given.
        asio::post(loop_.io(), [this, signal, left = std::move(pass)]() mutable {
            signals_.erase(signal);
            auto const last = std::move(left);
        });
    };
    asio::co_spawn(loop_.io(), std::move(work), asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
}

task<> Background::stop() {
    stopped_ = true;
    for (auto& signal : signals_) signal.emit(asio::cancellation_type::terminal);
    co_await gate_.close();
}

}  // namespace buildplan::queue::fair
