// How the queues of all organizations stand, added up by queue and tier: what is owed and dead from the ledger, how
// what is owed stands from the queue's Redis. Only queues of organizations that are owed something are asked there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "features/queues/types.hpp"
#include "postgres/pool.hpp"
#include "redis/client.hpp"

namespace buildplan::queues {

struct Standing {
    std::map<std::string, std::vector<TierStatus>> of;  // by queue; all three tiers of each
    bool redis = false;                                 // depths and lags are there
};

task<Standing> read_standing(postgres::SystemPool& system, redis::Client* redis);

}  // namespace buildplan::queues
