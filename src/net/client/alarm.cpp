#include "net/client/alarm.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/system/system_error.hpp>

#include "net/client/http_message.hpp"

namespace buildplan::net {

void AlarmCircle::end() noexcept {
    ended_ = true;
    for (auto* const member : members_) member->ring();
}

Alarm::Alarm(Executor const& executor, AlarmCircle& circle) : circle_(circle), timer_(executor) {
    circle_.members_.insert(this);
}

Alarm::~Alarm() { circle_.members_.erase(this); }

void Alarm::ring() noexcept {
    rung_ = true;
    timer_.cancel();
}

task<> Alarm::until(Time time) {
    boost::system::error_code error;
    if (!rung_ && !circle_.ended_) {
        timer_.expires_at(time);
        auto const [outcome] = co_await timer_.async_wait(asio::as_tuple(use_task));
        error = outcome;
    }
    bool const rung = std::exchange(rung_, false);
    if (circle_.ended_) throw HttpError(HttpError::Kind::closed, "the HTTP client was closed");
    if (error && !rung) throw boost::system::system_error(error);
}

}  // namespace buildplan::net
