#include "core/problem.hpp"

namespace buildplan {

Problem::Problem(int status_, std::string_view code_, std::string detail_, std::vector<FieldError> errors_)
    : status(status_), code(code_), detail(std::move(detail_)), errors(std::move(errors_)) {}

std::string_view Problem::title() const noexcept { return status_phrase(status); }

std::string_view status_phrase(int status) noexcept {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Error";
    }
}

namespace problems {

Problem malformed(std::string detail) { return {400, "malformed", std::move(detail)}; }
Problem unauthenticated(std::string detail) { return {401, "unauthenticated", std::move(detail)}; }
Problem forbidden(std::string detail) { return {403, "forbidden", std::move(detail)}; }
Problem not_found() { return {404, "not-found", "There is nothing here, or nothing that you may see."}; }
Problem conflict(std::string_view code, std::string detail) { return {409, code, std::move(detail)}; }
Problem precondition_failed(std::string detail) { return {412, "precondition-failed", std::move(detail)}; }

Problem invalid(std::vector<FieldError> errors) {
    std::string detail = errors.size() == 1 ? "One field does not fit." : "Some fields do not fit.";
    return {422, "invalid", std::move(detail), std::move(errors)};
}

Problem invalid_field(std::string pointer, std::string_view code, std::string detail) {
    std::vector<FieldError> errors;
    errors.push_back({std::move(pointer), std::string(code), std::move(detail)});
    return invalid(std::move(errors));
}

Problem too_many_requests(std::chrono::seconds retry_in) {
    return Problem{429, "rate-limited", "The limit of calls is reached; try again later."}.retry_in(retry_in);
}

Problem unavailable(std::string detail, std::chrono::seconds retry_in) {
    return Problem{503, "unavailable", std::move(detail)}.retry_in(retry_in);
}

Problem internal() { return {500, "internal", "Something went wrong on our side. The request id helps us find it."}; }

}  // namespace problems
}  // namespace buildplan
