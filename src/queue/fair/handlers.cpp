#include "queue/fair/handlers.hpp"

#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace buildplan::queue::fair {
namespace {

task<bullmq::Result> with_json(std::shared_ptr<Handlers::Work const> work, bullmq::Run& run) {
    auto const value = co_await (*work)(run.job(), run);
    co_return bullmq::Completed{boost::json::serialize(value)};
}

}  // namespace

void Handlers::add(std::string queue, std::string job, Work work) {
    auto const shared = std::make_shared<Work const>(std::move(work));
    add_raw(std::move(queue), std::move(job), [shared](bullmq::Run& run) { return with_json(shared, run); });
}

void Handlers::add_raw(std::string queue, std::string job, bullmq::Handler handler) {
    auto const name = queue + "/" + job;
    if (!known_.try_emplace({std::move(queue), std::move(job)}, std::move(handler)).second) {
        throw std::logic_error("two handlers for " + name);
    }
}

task<bullmq::Result> Handlers::handle(bullmq::Run& run) const {
    auto const found = known_.find(std::pair(std::string(run.keys().queue()), run.job().name));
    if (found == known_.end()) return otherwise_ ? otherwise_(run) : bullmq::answer_ping(run);
    return found->second(run);
}

}  // namespace buildplan::queue::fair
