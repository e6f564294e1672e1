#include "net/client/http_message.hpp"

#include "core/text.hpp"
#include "core/time.hpp"

namespace buildplan::net {

std::string const* find_header(HttpHeaders const& headers, std::string_view name) noexcept {
    for (auto const& header : headers) {
        if (ascii_iequals(header.name, name)) return &header.value;
    }
    return nullptr;
}

std::string_view HttpResponse::header(std::string_view name) const noexcept {
    auto const* const value = find_header(headers, name);
    return value ? std::string_view(*value) : std::string_view();
}

bool HttpResponse::redirects() const noexcept {
    bool const redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return redirect && !header("location").empty();
}

std::optional<std::chrono::seconds> HttpResponse::retry_after() const {
    return parse_retry_after(header("retry-after"), now());
}

std::string_view to_string(HttpError::Kind kind) noexcept {
    switch (kind) {
        case HttpError::Kind::invalid:
            return "invalid";
        case HttpError::Kind::refused_address:
            return "refused_address";
        case HttpError::Kind::resolve:
            return "resolve";
        case HttpError::Kind::connect:
            return "connect";
        case HttpError::Kind::tls:
            return "tls";
        case HttpError::Kind::timeout:
            return "timeout";
        case HttpError::Kind::too_large:
            return "too_large";
        case HttpError::Kind::redirect:
            return "redirect";
        case HttpError::Kind::aborted:
            return "aborted";
        case HttpError::Kind::protocol:
            return "protocol";
        case HttpError::Kind::overloaded:
            return "overloaded";
        case HttpError::Kind::closed:
            return "closed";
    }
    return "unknown";
}

}  // namespace buildplan::net
