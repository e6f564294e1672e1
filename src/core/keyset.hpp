// The ends of a list that is read by keyset, (time, id) or (name, id): beyond every row there can be, so that one
// statement serves the first page and all others.
#pragma once

#include "core/id.hpp"
#include "core/time.hpp"

namespace buildplan {

inline Timestamp const beginning_of_time = std::chrono::sys_days{std::chrono::year{1970} / 1 / 1};
inline Timestamp const end_of_time = std::chrono::sys_days{std::chrono::year{9999} / 12 / 31};

// The greatest of all ids; the least is `Id{}`.
template <class IdType>
IdType last_id() noexcept {
    IdType id;
    id.value.bytes.fill(0xff);
    return id;
}

}  // namespace buildplan
