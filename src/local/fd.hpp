// Fd: a file descriptor with an owner. Closes it once, in the destructor; never throws.
#pragma once

#include <unistd.h>

#include <utility>

namespace buildplan::local {

class Fd {
public:
    Fd() = default;
    explicit Fd(int value) noexcept : value_(value) {}
    Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            value_ = std::exchange(other.value_, -1);
        }
        return *this;
    }
    ~Fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return value_; }
    explicit operator bool() const noexcept { return value_ >= 0; }
    void reset() noexcept {
        if (value_ >= 0) ::close(std::exchange(value_, -1));
    }

private:
    int value_ = -1;
};

}  // namespace buildplan::local
