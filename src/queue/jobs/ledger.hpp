// What a worker reads and writes in the ledger: the outbox row of a job, as its organization. PostgreSQL is what
// counts: a job whose row is settled (done, dead, given up, of another round, not there any more) is not done again,
// whatever the queue says.
#pragma once

#include <string>

#include "postgres/pool.hpp"
#include "queue/jobs/entry.hpp"

namespace buildplan::queue::jobs {

// Whether it is still to be done.
task<bool> is_owed(postgres::Pool& pool, Principal const& principal, Entry entry);

// Done, in a transaction of its own; false when it was settled already.
task<bool> mark_done(postgres::Pool& pool, Principal const& principal, Entry entry);

// Nobody tries it any more; false when it was settled already. `error` is cut to what is kept.
task<bool> mark_dead(postgres::Pool& pool, Principal const& principal, Entry entry, std::string error,
                     std::int32_t attempts);

// Text as it is kept with a dead job: UTF-8 without NUL, 4,000 bytes at most.
std::string kept_error(std::string_view text);

}  // namespace buildplan::queue::jobs
