#include "features/job_table.hpp"

namespace buildplan::features {

// A feature with jobs has a `jobs()` beside its `routes()` and a line here. None has by now: every queue answers
// `ping`.
queue::jobs::JobTables job_tables() { return {}; }

}  // namespace buildplan::features
