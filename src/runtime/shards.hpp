// Shards: the loops of a process, one thread each, and the way to do something on all of them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "runtime/loop.hpp"

namespace buildplan {

class Shards {
public:
    // `count` 0 means one for each core that this process may use.
    Shards(unsigned count, Log const& log);
    ~Shards();  // stop and join

    void start();
    // Ends every loop, finished or not, and joins its thread. Drain first.
    void stop();

    [[nodiscard]] std::size_t size() const noexcept { return loops_.size(); }
    [[nodiscard]] Loop& operator[](std::size_t i) noexcept { return *loops_[i]; }
    [[nodiscard]] std::vector<metrics::Registry*> registries() const;

    // Runs a task on every loop and blocks the calling thread, which must be none of theirs, until all are done.
    // Rethrows the first exception after that.
    void on_each(std::function<task<>(Loop&)> const& make);

private:
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<std::thread> threads_;
};

// Cores that this process may use: its affinity mask, at least 1.
unsigned usable_cores() noexcept;

}  // namespace buildplan
