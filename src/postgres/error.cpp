#include "postgres/error.hpp"

#include <fmt/core.h>

#include "postgres/detail/exchange.hpp"

namespace buildplan::postgres {

Error::Error(Fields fields)
    : std::runtime_error(fmt::format("PostgreSQL {} in {}: {}", fields.sqlstate,
                                     fields.statement.empty() ? "a transaction" : fields.statement, fields.message)),
      fields_(std::move(fields)) {}

bool Error::violates(std::string_view constraint_name) const noexcept {
    return fields_.sqlstate.starts_with("23") && fields_.constraint == constraint_name;
}

bool Error::retryable() const noexcept {
    return is(sqlstate::serialization_failure) || is(sqlstate::deadlock_detected) || is(sqlstate::stale_plan);
}

namespace {
constexpr std::chrono::seconds soon{1};
}

Unavailable::Unavailable(std::string detail_) : Problem(problems::unavailable(std::move(detail_), soon)) {}

OutcomeUnknown::OutcomeUnknown()
    : Problem(problems::unavailable("The database went away before it had answered. What was asked for may have been "
                                    "done: look before you ask for it again.",
                                    soon)) {}

Timeout::Timeout(std::string detail_) : Problem(503, "timeout", std::move(detail_)) { retry_after = soon; }

namespace detail {

void more_than_one_row(std::string_view statement) {
    throw std::logic_error(fmt::format("{} is to give at most one row and gave more", statement));
}

}  // namespace detail
}  // namespace buildplan::postgres
