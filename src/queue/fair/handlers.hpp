// Handlers: who does which job, by the names of its queue and of the job. Filled at the start, then only read. The job
// `ping` of every queue is answered without one; a job that nobody knows fails for good and says so.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "queue/bullmq/runner.hpp"

namespace buildplan::queue::fair {

class Handlers {
public:
    // What it returns is the job's return value. It fails by throwing, and is cancelled as bullmq::Handler says.
    using Work = std::function<task<boost::json::value>(bullmq::Job const& job, bullmq::Run& run)>;

    // Throws std::logic_error where there is one already.
    void add(std::string queue, std::string job, Work work);
    // For those that delay themselves, wait for children and the like.
    void add_raw(std::string queue, std::string job, bullmq::Handler handler);

    // Whoever does all that has nobody of its own, `ping` included.
    void otherwise(bullmq::Handler handler) { otherwise_ = std::move(handler); }

    // Does it. Outlives the task.
    task<bullmq::Result> handle(bullmq::Run& run) const;

private:
    std::map<std::pair<std::string, std::string>, bullmq::Handler, std::less<>> known_;
    bullmq::Handler otherwise_;
};

}  // namespace buildplan::queue::fair
