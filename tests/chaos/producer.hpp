// Producer: writes events of several organizations as the product does, in transactions of their roles, while the
// database is killed under it. Has a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "core/id.hpp"

namespace buildplan::chaos {

class Producer {
public:
    // Writes `jobs` of them, or a few more: those whose COMMIT was not answered are written again, and may be there.
    // Some transactions are rolled back: what they wrote must have no effect. Starts at once.
    Producer(std::string url, std::vector<OrganizationId> organizations, std::size_t jobs, std::uint64_t seed);
    ~Producer();  // stops it
    Producer(Producer const&) = delete;
    Producer& operator=(Producer const&) = delete;

    // It goes on until so many are written.
    void allow(std::size_t jobs) noexcept { allowed_ = jobs; }
    [[nodiscard]] std::size_t written() const noexcept { return written_; }
    // Waits until all are written; the ids of those whose commit was answered.
    std::vector<std::string> const& finish();

private:
    void produce(std::stop_token const& stop, std::uint64_t seed);

    std::string url_;
    std::vector<OrganizationId> organizations_;
    std::size_t jobs_;
    std::atomic<std::size_t> allowed_ = 0, written_ = 0;
    std::vector<std::string> acknowledged_;  // the thread's, until finish()
    std::jthread thread_;
};

}  // namespace buildplan::chaos
