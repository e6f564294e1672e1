// PasswordHashing: argon2id for one shard, on the offload threads, a bounded number at a time, because each takes 19
// MiB and a core: a flood of sign-ins fills neither the memory nor the threads that others need. Who comes while all
// are busy waits in turn, bounded in number; beyond it Problem 503 with Retry-After. Trying a password takes the same
// time whether there is a hash to try it on or not.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "runtime/completion.hpp"
#include "runtime/offload.hpp"
#include "runtime/task.hpp"

namespace buildplan::identity {

class PasswordHashing {
public:
    struct Options {
        unsigned at_once = 1;
        std::size_t waiting = 64;
    };
    PasswordHashing(Offload& offload, Options options) : offload_(offload), options_(options) {}
    explicit PasswordHashing(Offload& offload) : PasswordHashing(offload, Options{}) {}
    PasswordHashing(PasswordHashing const&) = delete;
    PasswordHashing& operator=(PasswordHashing const&) = delete;

    task<std::string> hash(std::string password);
    // Nothing: there is nobody of that name. The answer is no, and takes as long.
    task<bool> fits(std::optional<std::string> hash, std::string password);

    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

private:
    // Held while one is being made.
    class Turn {
    public:
        explicit Turn(PasswordHashing& of) noexcept : of_(&of) {}
        Turn(Turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (of_) of_->give_back();
        }

    private:
        PasswordHashing* of_;
    };
    struct Waiter {
        Completion<bool> done;
        std::uint64_t number;
    };
    task<Turn> turn();
    void give_back();
    void leave(std::uint64_t number);

    Offload& offload_;
    Options options_;
    unsigned running_ = 0;
    std::uint64_t numbers_ = 0;
    std::deque<Waiter> waiting_;
};

}  // namespace buildplan::identity
