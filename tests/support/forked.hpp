// Forked: a piece of a test in a process of its own, to be killed in the middle as `kill -9` of the program would.
#pragma once

#include <sys/types.h>

#include <functional>

#include "local/fd.hpp"

namespace buildplan::test_support {

class Forked {
public:
    // Runs `work` in the new process, which then stays there until it is killed.
    explicit Forked(std::function<void()> const& work);
    ~Forked() { kill9(); }
    Forked(Forked const&) = delete;
    Forked& operator=(Forked const&) = delete;

    // Whether `work` has come to its end without an exception; waits for it.
    bool done();
    void kill9();

private:
    pid_t pid_ = -1;
    local::Fd done_;
};

}  // namespace buildplan::test_support
