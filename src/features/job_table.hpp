// Every job of the product, feature by feature: what the relay sends where, and who does it.
#pragma once

#include "queue/jobs/catalog.hpp"

namespace buildplan::features {

queue::jobs::JobTables job_tables();

}  // namespace buildplan::features
