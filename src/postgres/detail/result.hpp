// What libpq's results say of errors.
#pragma once

#include <libpq-fe.h>

#include <exception>
#include <string_view>

#include "postgres/error.hpp"
#include "postgres/statement.hpp"

namespace buildplan::postgres::detail {

// The exception for an error result: Timeout where there is nothing to steer by, Error otherwise.
std::exception_ptr error_of(PGresult const* result, std::string_view statement);

// For what is asked of a transaction that has failed already.
Error failed_transaction();

// "" where the result carries none (libpq's own errors do not).
std::string_view sqlstate_of(PGresult const* result) noexcept;

// Whether the server ends the connection with this error.
bool is_fatal(PGresult const* result) noexcept;

// Whether a command tag belongs to a statement that may stand in a transaction of ours: one that neither begins nor
// ends transactions nor changes the session.
bool is_allowed_tag(std::string_view tag) noexcept;

}  // namespace buildplan::postgres::detail
