#include "runtime/shards.hpp"

#include <sched.h>

#include <boost/asio/co_spawn.hpp>
#include <future>

namespace buildplan {

unsigned usable_cores() noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    auto const count = CPU_COUNT(&set);
    return count > 0 ? static_cast<unsigned>(count) : 1;
}

Shards::Shards(unsigned count, Log const& log) {
    if (count == 0) count = usable_cores();
    for (unsigned i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>(i, log));
}

Shards::~Shards() { stop(); }

void Shards::start() {
    for (auto& loop : loops_) threads_.emplace_back([&loop = *loop] { loop.run(); });
}

void Shards::stop() {
    for (auto& loop : loops_) loop->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

std::vector<metrics::Registry*> Shards::registries() const {
    std::vector<metrics::Registry*> all;
    all.reserve(loops_.size());
    for (auto const& loop : loops_) all.push_back(&loop->metrics());
    return all;
}

void Shards::on_each(std::function<task<>(Loop&)> const& make) {
    std::vector<std::future<void>> done;
    for (auto& loop : loops_) {
        auto promise = std::make_shared<std::promise<void>>();
        done.push_back(promise->get_future());
        loop->post([&make, &loop = *loop, promise] {
            asio::co_spawn(loop.io(), make(loop), [promise](std::exception_ptr error) {
                if (error) {
                    promise->set_exception(std::move(error));
                } else {
                    promise->set_value();
                }
            });
        });
    }
    std::exception_ptr first;
    for (auto& each : done) {
        try {
            each.get();
        } catch (...) {
            if (!first) first = std::current_exception();
        }
    }
    if (first) std::rethrow_exception(first);
}

}  // namespace buildplan
