#include "commands/working.hpp"

#include "commands/options.hpp"

namespace buildplan::commands {

Working::Relaying::Relaying(Settings const& settings, queue::jobs::Catalog const& catalog, Offload& offload,
                            api::Shard& shard)
    : sink(*shard.queue),
      relay(shard.loop, shard.system, sink, catalog),
      listener(shard.loop, offload, postgres_options(settings, settings.postgres.system_url),
               std::string(queue::outbox::bell_channel), [this] { relay.wake(); }),
      gauges(shard.loop, shard.system, *shard.queue) {}

namespace {

queue::jobs::WorkforceOptions workforce_options(Settings const& settings, std::string const& process) {
    queue::jobs::WorkforceOptions out;
    out.workers = workers_options(settings);
    out.workers.process = process;
    return out;
}

}  // namespace

Working::Working(Settings const& settings, std::string const& process, queue::jobs::Catalog const& catalog,
                 Offload& offload, api::Shard& shard)
    : performer_(shard.loop, catalog, shard.postgres, shard, shard.bell),
      force_(shard.loop, *shard.queue, redis_options(settings, settings.redis.queue_url, "queue"), shard.system,
             performer_, workforce_options(settings, process)) {
    if (shard.loop.index() == 0) relaying_.emplace(settings, catalog, offload, shard);
}

void Working::start() {
    if (relaying_) {
        relaying_->relay.start();
        relaying_->listener.start();
        relaying_->gauges.start();
    }
    force_.start();
}

task<> Working::stop(std::chrono::milliseconds grace) { co_await force_.stop(grace); }

task<> Working::close() {
    if (!relaying_) co_return;
    relaying_->listener.stop();
    co_await relaying_->gauges.stop();
    co_await relaying_->relay.stop();
}

}  // namespace buildplan::commands
