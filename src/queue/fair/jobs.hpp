// Jobs: what a pool works with, told apart from how jobs are kept and done. Pool calls it from its slots, several at a
// time; references stay valid until the task is done.
//
// What these throw, redis::Failure above all, gives the turn up: nobody knows how the queue stands then, and the reaper
// finds out when the turn has expired.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "queue/fair/index.hpp"

namespace buildplan::queue::fair {

// A job in a slot's hands.
struct Taken {
    virtual ~Taken() = default;
    std::optional<std::chrono::duration<double>> waited{};  // from when it could have been taken, where that is known
};

class Jobs {
public:
    Jobs() = default;
    Jobs(Jobs const&) = delete;
    Jobs& operator=(Jobs const&) = delete;
    virtual ~Jobs() = default;

    struct Took {
        std::unique_ptr<Taken> job;  // nothing where none could be had
        bool more = false;           // others wait behind it
    };
    virtual task<Took> take(Turn const& turn) = 0;

    // Carries a job out and hands in what became of it. Where `more` says so then, the next one is taken in the same
    // trip, and returned.
    virtual task<std::unique_ptr<Taken>> work(Turn const& turn, std::unique_ptr<Taken> job,
                                              std::function<bool()> more) = 0;

    // Back to the front of its queue, as if it had not been taken.
    virtual task<> give_back(std::unique_ptr<Taken> job) = 0;

    virtual task<Standing> probe(Member const& member) = 0;

    // Takes back the jobs of workers that are dead. Called at least twice, some time apart; tells whether it found any.
    virtual task<bool> recover(Member const& member) = 0;
};

}  // namespace buildplan::queue::fair
