// Completion<T>: the far end of a co_await. A client that multiplexes many callers over one connection suspends a
// caller with `completed<T>(…)`, keeps the Completion, and resumes the caller when the answer is there. Everything
// happens on one loop's thread.
//
//   T answer = co_await completed<T>([&](Completion<T> done) { queue.push_back(std::move(done)); });
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/task.hpp"

namespace buildplan {

template <class T>
class Completion {
public:
    Completion() = default;

    // Resumes the caller with a value, or by throwing there. Runs the caller until it suspends again, so whatever is
    // called from must be prepared to be called into. The first call counts; a Completion that was moved from, or that
    // has completed, ignores the rest.
    void operator()(T value) { finish(nullptr, std::move(value)); }
    void fail(std::exception_ptr error) { finish(std::move(error), std::nullopt); }

    // Called at most once, when the caller is cancelled while it waits (e.g. its client left). It may complete, or
    // leave the completion to come as usual. Replaces an earlier one.
    void on_cancel(std::function<void()> react) {
        if (waiter_) waiter_->on_cancel(std::move(react));
    }

    explicit operator bool() const noexcept { return waiter_ != nullptr; }

    struct Waiter {
        Waiter() = default;
        Waiter(Waiter const&) = delete;
        Waiter& operator=(Waiter const&) = delete;
        virtual ~Waiter() = default;
        virtual void resume(std::exception_ptr, std::optional<T>) = 0;
        virtual void on_cancel(std::function<void()>) = 0;
    };
    explicit Completion(std::unique_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}

private:
    void finish(std::exception_ptr error, std::optional<T> value) {
        if (auto const waiter = std::move(waiter_)) waiter->resume(std::move(error), std::move(value));
    }

    std::unique_ptr<Waiter> waiter_;
};

namespace detail {

template <class T, class Handler>
struct HandlerWaiter final : Completion<T>::Waiter {
    explicit HandlerWaiter(Handler h) : handler(std::move(h)) {}
    void resume(std::exception_ptr error, std::optional<T> value) override {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) slot.clear();
        std::move(handler)(std::move(error), std::move(value));
    }
    void on_cancel(std::function<void()> react) override {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (!slot.is_connected()) return;
        slot.assign([react = std::move(react)](asio::cancellation_type type) {
            if (type == asio::cancellation_type::none) return;
            auto const once = react;  // reacting may clear the slot that this lives in
            once();
        });
    }
    Handler handler;
};

}  // namespace detail

template <class T, class Start>
task<T> completed(Start start) {
    std::optional<T> value = co_await asio::async_initiate<asio::use_awaitable_t<Executor> const&,
                                                           void(std::exception_ptr, std::optional<T>)>(
        [&start](auto handler) {
            start(Completion<T>(std::make_unique<detail::HandlerWaiter<T, decltype(handler)>>(std::move(handler))));
        },
        use_task);
    co_return std::move(*value);
}

}  // namespace buildplan
