// For whoever sweeps: what is left of sessions and mailed tokens whose time is long over.
#pragma once

#include <cstdint>

#include "postgres/pool.hpp"

namespace buildplan::identity {

// How many rows.
task<std::uint64_t> sweep_sign_ins(postgres::SystemPool& system);

}  // namespace buildplan::identity
