// Verdict: what is wrong when everything has become quiet, a line each. The ledger in PostgreSQL says what was to be
// done, the rows of chaos_effects what was done; the queues of BullMQ have to be empty.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "postgres/session.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::chaos {

// The queues and the events of the chaos tests.
inline constexpr std::string_view used_queues[] = {"webhook", "documents"};
inline constexpr std::string_view used_topics[] = {"chaos.message", "chaos.work"};

// The table, empty. No constraint keeps an effect from being there twice.
void make_effects(postgres::Session& superuser);

// Each event there once in the ledger and done, with one effect, of its own organization; no other effects; and all
// events there whose writer was told that they are (`acknowledged`: their ids).
std::vector<std::string> wrong_in_the_ledger(postgres::Session& superuser, std::span<std::string const> acknowledged);

// What is left in the queues of these organizations: jobs that wait, run, are put off or have failed, locks, and the
// hashes of jobs that are in no list.
std::vector<std::string> left_in_the_queues(test_support::RedisServer const& redis,
                                            std::span<OrganizationId const> organizations);

}  // namespace buildplan::chaos
