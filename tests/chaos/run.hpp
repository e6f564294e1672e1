// Run: a number of jobs, and blows while they are written, relayed and worked on; then silence, and the verdict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "world.hpp"

namespace buildplan::chaos {

struct RunOptions {
    std::uint64_t seed = 1;
    std::size_t jobs = 20'000;
    std::size_t blows = 48;
    CrewOptions crew = {};
};

struct Outcome {
    std::vector<std::string> wrong;  // empty: every effect is there exactly once
    std::string summary;             // one line for people
};

// Throws when the servers cannot be started.
Outcome run(RunOptions const& options);

}  // namespace buildplan::chaos
