// Signals: what producers and the administration of tiers tell the index, whichever lane a queue is of. A producer
// first adds to the queue and hears that it was added, then signals; the other way round work is stranded. A signal
// that is lost is made good by the watch.
//
// Throws what redis::Client throws.
#pragma once

#include <string>
#include <vector>

#include "queue/fair/index.hpp"

namespace buildplan::queue::fair {

class Signals {
public:
    // `client` outlives it. `slot` is that of the workers.
    explicit Signals(redis::Client& client, std::string const& slot = "{bpsched:0}");

    // These queues were added to. Those of no lane are passed over.
    task<> signal(std::vector<Member> members);
    // What organizations pay for has changed.
    task<> admit(std::vector<Admission> admissions);

private:
    std::vector<Index> lanes_;
};

}  // namespace buildplan::queue::fair
