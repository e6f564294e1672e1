#include "features/identity/presented_token.hpp"

#include "core/text.hpp"
#include "features/identity/cookies.hpp"

namespace buildplan::identity {
namespace {

// The token of "Bearer <token>" (RFC 6750 section 2.1; the scheme in either case).
std::string_view bearer_token(std::string_view header) {
    auto const value = trim(header);
    constexpr std::string_view scheme = "bearer ";
    if (value.size() <= scheme.size() || !ascii_iequals(value.substr(0, scheme.size()), scheme)) return {};
    return trim(value.substr(scheme.size()));
}

}  // namespace

PresentedToken token_of(net::Request const& request) {
    if (auto const header = request.header("Authorization")) return {.text = bearer_token(*header)};
    return {.text = cookie(request, access_cookie_name(request)), .from_cookie = true};
}

std::string_view cookie(net::Request const& request, std::string_view name) {
    for (auto const& header : request.headers) {
        if (!ascii_iequals(header.name, "Cookie")) continue;
        auto rest = header.value;
        while (!rest.empty()) {
            auto const end = rest.find(';');
            auto const pair = trim(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
            auto const equals = pair.find('=');
            if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
        }
    }
    return {};
}

}  // namespace buildplan::identity
