// Problem: how anything that goes wrong reaches the caller (RFC 9457, application/problem+json). Thrown anywhere below
// a request, caught and rendered once. `detail` is written for the person who made the call; what only we should see
// goes to the log, never in here.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace buildplan {

// One thing that is wrong with the input. `pointer` is a JSON pointer (RFC 6901) into the body, "" for the whole of it;
// query and path parameters are written as "?limit" and ":id".
struct FieldError {
    std::string pointer;
    std::string code;
    std::string detail;
};

class Problem : public std::exception {
public:
    // `status` is an HTTP status of 400 to 599; `code` is stable and in kebab-case.
    Problem(int status, std::string_view code, std::string detail, std::vector<FieldError> errors = {});

    int status;
    std::string code;
    std::string detail;
    std::vector<FieldError> errors;
    // Sent as Retry-After, with 429 and 503.
    std::optional<std::chrono::seconds> retry_after;

    // The status line's phrase, as `title`.
    [[nodiscard]] std::string_view title() const noexcept;
    [[nodiscard]] char const* what() const noexcept override { return detail.c_str(); }

    Problem&& retry_in(std::chrono::seconds delay) && {
        retry_after = delay;
        return std::move(*this);
    }
};

// The phrase of an HTTP status (RFC 9110 section 15), "Error" for one without.
std::string_view status_phrase(int status) noexcept;

// The usual ones, so that the same thing is always said the same way.
namespace problems {

Problem malformed(std::string detail);                        // 400 malformed
Problem unauthenticated(std::string detail);                  // 401 unauthenticated
Problem forbidden(std::string detail);                        // 403 forbidden
Problem not_found();                                          // 404 not-found: not there, or not yours
Problem conflict(std::string_view code, std::string detail);  // 409
Problem precondition_failed(std::string detail);              // 412 precondition-failed
Problem invalid(std::vector<FieldError> errors);              // 422 invalid
Problem invalid_field(std::string pointer, std::string_view code, std::string detail);
Problem too_many_requests(std::chrono::seconds retry_in);                                          // 429 rate-limited
Problem unavailable(std::string detail, std::chrono::seconds retry_in = std::chrono::seconds{1});  // 503 unavailable
Problem internal();  // 500 internal: says nothing

}  // namespace problems
}  // namespace buildplan
