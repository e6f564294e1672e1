// TenantJobs: the jobs of a pool as BullMQ keeps them: one queue for each organization and name, taken by a scheduler's
// turn, carried out by a Runner. Sees to it that a queue's cap (BullMQ's own `concurrency`) is that of its
// organization's tier before anything is taken from it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/metrics.hpp"

#include "queue/bullmq/runner.hpp"
#include "queue/fair/jobs.hpp"

namespace buildplan::queue::fair {

struct TenantJobsOptions {
    std::string process;  // unique to it; the beginning of its tokens
    bullmq::Millis lock_duration{30'000};
    // How often a job may lose its worker before it fails. BullMQ's own 1 blames a job for two deploys that went wrong;
    // one that kills whoever works on it is stopped all the same.
    std::int64_t most_stalls = 10;
    std::chrono::milliseconds trust_caps{60'000};  // a cap that was set so long ago is set again
    // Whether nobody is to work on a queue now, whichever organization's.
    std::function<bool(std::string_view queue)> paused = [](std::string_view) { return false; };
};

class TenantJobs final : public Jobs {
public:
    // All of these outlive it.
    TenantJobs(metrics::Registry& registry, redis::Client& client, bullmq::Runner& runner, TenantJobsOptions options);

    task<Took> take(Turn const& turn) override;
    task<std::unique_ptr<Taken>> work(Turn const& turn, std::unique_ptr<Taken> job,
                                      std::function<bool()> more) override;
    task<> give_back(std::unique_ptr<Taken> job) override;
    task<Standing> probe(Member const& member) override;
    task<bool> recover(Member const& member) override;

private:
    struct Cap {
        std::int64_t most = 0;
        std::chrono::steady_clock::time_point set;
    };
    [[nodiscard]] std::optional<redis::Command> cap_command(Turn const& turn, bullmq::QueueKeys const& keys);

    struct Times {
        metrics::Histogram *wait, *run;
    };
    Times const& times_of(Turn const& turn) const;
    std::unique_ptr<Taken> note_wait(Turn const& turn, std::unique_ptr<Taken> job) const;

    redis::Client& client_;
    bullmq::Runner& runner_;
    TenantJobsOptions options_;
    std::array<std::array<Times, tiers.size()>, bullmq::queues::all.size()> times_{};
    std::unordered_map<Member, Cap> caps_;
};

}  // namespace buildplan::queue::fair
