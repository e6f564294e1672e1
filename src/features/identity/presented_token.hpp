// What a request shows to say who makes it: a token or key in the Authorization header, or the browser's cookie. The
// header wins. Whether a cookie may be believed (CSRF) is for whoever asks to decide: that is why it is told apart.
#pragma once

#include <string_view>

#include "net/request.hpp"

namespace buildplan::identity {

struct PresentedToken {
    std::string_view text;  // empty when there is none; into the request
    bool from_cookie = false;
};

PresentedToken token_of(net::Request const& request);

// The value of the first cookie of that name (RFC 6265 section 5.4); empty when there is none.
std::string_view cookie(net::Request const& request, std::string_view name);

}  // namespace buildplan::identity
