#include "features/identity/passwords/hashing.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "features/identity/passwords/hash.hpp"

namespace buildplan::identity {

task<PasswordHashing::Turn> PasswordHashing::turn() {
    if (running_ < options_.at_once) {
        ++running_;
    } else {
        if (waiting_.size() >= options_.waiting)
            throw problems::unavailable("Many people are signing in; try again shortly.", std::chrono::seconds{2});
        // Whoever ends passes the turn on, so it is counted already when the wait is over.
        co_await completed<bool>([this](Completion<bool> done) {
            auto const number = ++numbers_;
            done.on_cancel([this, number] { leave(number); });
            waiting_.push_back({std::move(done), number});
        });
    }
    co_return Turn(*this);
}

void PasswordHashing::give_back() {
    if (waiting_.empty()) {
        --running_;
        return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next.done(true);
}

void PasswordHashing::leave(std::uint64_t number) {
    auto const found = std::ranges::find(waiting_, number, &Waiter::number);
    if (found == waiting_.end()) return;
    auto gone = std::move(*found);
    waiting_.erase(found);
    gone.done.fail(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
}

task<std::string> PasswordHashing::hash(std::string password) {
    auto const mine = co_await turn();
    auto const work = [password = std::move(password)] { return hash_password(password); };
    co_return co_await offload_.run(work);
}

task<bool> PasswordHashing::fits(std::optional<std::string> hash, std::string password) {
    auto const mine = co_await turn();
    bool const somebody = hash.has_value();
    auto const work = [hash = somebody ? std::move(*hash) : nobodys_hash(), password = std::move(password)] {
        return password_fits(hash, password);
    };
    bool const fits = co_await offload_.run(work);
    co_return somebody&& fits;
}

}  // namespace buildplan::identity
