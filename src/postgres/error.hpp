// What PostgreSQL says when it refuses. A refusal that a service may steer by (a unique name is taken, a foreign key
// has nothing to point at, two transactions got into each other's way) is thrown as Error, and the service turns it
// into a Problem of its own words. What no service can do anything about is a Problem already: 503 `unavailable` when
// there is no connection in time or it is lost, 503 `timeout` when a statement or a lock took too long. OutcomeUnknown
// stands apart: a connection was lost after a COMMIT had been sent, so the work may or may not have been done.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "core/problem.hpp"

namespace buildplan::postgres {

// SQLSTATEs that code steers by (PostgreSQL manual, appendix A).
namespace sqlstate {
inline constexpr std::string_view unique_violation = "23505", foreign_key_violation = "23503",
                                  check_violation = "23514", not_null_violation = "23502",
                                  exclusion_violation = "23P01", restrict_violation = "23001",
                                  serialization_failure = "40001", deadlock_detected = "40P01",
                                  lock_not_available = "55P03", query_canceled = "57014",
                                  insufficient_privilege = "42501", in_failed_transaction = "25P02",
                                  stale_plan = "0A000", read_only_transaction = "25006", no_such_statement = "26000";
}

class Error : public std::runtime_error {
public:
    struct Fields {
        std::string sqlstate = {};
        std::string message = {};     // the server's primary message; for the log, never for a caller
        std::string constraint = {};  // these are empty where the server names none
        std::string table = {};
        std::string column = {};
        std::string statement = {};  // the name of the query
    };
    explicit Error(Fields fields);

    [[nodiscard]] std::string_view sqlstate() const noexcept { return fields_.sqlstate; }
    [[nodiscard]] std::string_view constraint() const noexcept { return fields_.constraint; }
    [[nodiscard]] std::string_view table() const noexcept { return fields_.table; }
    [[nodiscard]] std::string_view column() const noexcept { return fields_.column; }
    [[nodiscard]] std::string_view statement() const noexcept { return fields_.statement; }

    // `error.violates("organizations_slug_key")`: that constraint (or unique index) was broken, whatever its kind.
    [[nodiscard]] bool violates(std::string_view constraint_name) const noexcept;
    [[nodiscard]] bool is(std::string_view state) const noexcept { return fields_.sqlstate == state; }
    // Nothing was done, and the same transaction may well succeed when it is run again: see retry.hpp.
    [[nodiscard]] bool retryable() const noexcept;

private:
    Fields fields_;
};

// 503 `unavailable`, nothing was done: no connection in time, too many waiting, or the connection was lost before
// anything that could have been kept was sent.
class Unavailable : public Problem {
public:
    explicit Unavailable(std::string detail);
};

// 503 `unavailable` as well, but what was asked for may have been done: the connection was lost when a COMMIT (or a
// one-statement transaction) had been sent and not yet answered. A caller that can look must look; others must not
// repeat a write that is not idempotent.
class OutcomeUnknown : public Problem {
public:
    OutcomeUnknown();
};

// 503 `timeout`: a statement ran longer than its lane allows, or waited too long for a lock. Nothing was done.
class Timeout : public Problem {
public:
    explicit Timeout(std::string detail);
};

}  // namespace buildplan::postgres
