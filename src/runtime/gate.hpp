// Gate: counts what is in flight on one loop, refuses more once closed, and tells when all of it has left. The building
// block of an orderly stop (the idea is Seastar's).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/completion.hpp"
#include "runtime/task.hpp"

namespace buildplan {

class Gate {
public:
    // Held while something is in flight.
    class Pass {
    public:
        Pass() = default;
        Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Pass& operator=(Pass&& other) noexcept {
            std::swap(gate_, other.gate_);
            return *this;
        }
        ~Pass() {
            if (gate_) gate_->leave();
        }
        explicit operator bool() const noexcept { return gate_ != nullptr; }

    private:
        friend class Gate;
        explicit Pass(Gate* gate) : gate_(gate) {}
        Gate* gate_ = nullptr;
    };

    // An empty pass when the gate is closed.
    [[nodiscard]] Pass enter() noexcept {
        if (closed_) return {};
        ++inside_;
        return Pass(this);
    }
    [[nodiscard]] std::size_t inside() const noexcept { return inside_; }
    [[nodiscard]] bool closed() const noexcept { return closed_; }

    // Lets nobody in any more and waits until everybody has left. The gate must outlive the wait.
    task<> close() {
        closed_ = true;
        while (inside_ > 0) {
            co_await completed<bool>([this](Completion<bool> done) { waiting_.push_back(std::move(done)); });
        }
    }

private:
    void leave() {
        if (--inside_ > 0) return;
        for (auto& done : std::exchange(waiting_, {})) done(true);
    }

    std::size_t inside_ = 0;
    bool closed_ = false;
    std::vector<Completion<bool>> waiting_;
};

}  // namespace buildplan
