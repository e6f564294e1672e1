// HttpUrl: an absolute http or https URL, taken apart and written anew by libcurl's own parser, so that what is checked
// here and what libcurl connects to cannot differ.
#pragma once

#include <string>
#include <string_view>

namespace buildplan::net {

struct HttpUrl {
    std::string text;    // normalised, without fragment
    std::string scheme;  // "http" or "https"
    std::string host;    // lower case; IPv6 without brackets
    std::string origin;  // "https://example.com:443"

    // Throws HttpError (invalid) for anything else: another scheme, no host, a user or password, control characters.
    static HttpUrl parse(std::string_view text);
    // Where a Location header leads from here. Throws like `parse`.
    [[nodiscard]] HttpUrl resolve(std::string_view location) const;
};

}  // namespace buildplan::net
