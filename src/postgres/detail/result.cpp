#include "postgres/detail/result.hpp"

namespace buildplan::postgres::detail {
namespace {

std::string_view field(PGresult const* result, int code) noexcept {
    auto const* const text = PQresultErrorField(result, code);
    return text != nullptr ? std::string_view(text) : std::string_view();
}

}  // namespace

std::string_view sqlstate_of(PGresult const* result) noexcept { return field(result, PG_DIAG_SQLSTATE); }

bool is_fatal(PGresult const* result) noexcept {
    auto const severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity == "FATAL" || severity == "PANIC" || sqlstate_of(result).empty();
}

std::exception_ptr error_of(PGresult const* result, std::string_view statement) {
    auto const state = sqlstate_of(result);
    if (state == sqlstate::query_canceled) {
        return std::make_exception_ptr(Timeout("This took too long and was given up; nothing was changed."));
    }
    if (state == sqlstate::lock_not_available) {
        return std::make_exception_ptr(Timeout("Somebody else is changing the same thing; nothing was changed."));
    }
    return std::make_exception_ptr(Error(Error::Fields{
        .sqlstate = std::string(state),
        .message = std::string(field(result, PG_DIAG_MESSAGE_PRIMARY)),
        .constraint = std::string(field(result, PG_DIAG_CONSTRAINT_NAME)),
        .table = std::string(field(result, PG_DIAG_TABLE_NAME)),
        .column = std::string(field(result, PG_DIAG_COLUMN_NAME)),
        .statement = std::string(statement),
    }));
}

Error failed_transaction() {
    return Error({.sqlstate = std::string(sqlstate::in_failed_transaction),
                  .message = "the transaction has failed before and can only be rolled back"});
}

bool is_allowed_tag(std::string_view tag) noexcept {
    constexpr std::string_view allowed[] = {"SELECT", "INSERT", "UPDATE",          "DELETE", "MERGE",
                                            "CALL",   "DO",     "LOCK TABLE",      "NOTIFY", "TRUNCATE TABLE",
                                            "SHOW",   "VALUES", "CREATE TABLE AS", "EXPLAIN"};
    for (auto const each : allowed) {
        if (tag.starts_with(each)) return true;
    }
    return false;
}

}  // namespace buildplan::postgres::detail
