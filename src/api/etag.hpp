// Entity tags (RFC 9110 sections 8.8.3 and 13): strong, made of a resource's id and the version that its row counts, so
// that a tag says by itself which version its holder saw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/uuid.hpp"

namespace buildplan::api {

// `"<version>.<the last 12 digits of the id>"`, with its quotes.
std::string make_etag(Uuid const& id, std::int64_t version);

// What an If-Match allows.
struct IfMatch {
    bool anything = true;  // no header, or `*`
    // Otherwise: these versions of that resource. Empty: none can fit, since the tags are another resource's, weak
    // (If-Match compares strongly), or none of ours.
    std::vector<std::int64_t> versions;
};

// Throws 400 `malformed` for a header that is no list of entity tags, or of more than 16.
IfMatch parse_if_match(std::optional<std::string_view> header, Uuid const& id);

// Whether If-None-Match names `etag` (weak comparison) or is `*`. A header that cannot be read names nothing.
bool none_match_names(std::string_view header, std::string_view etag);

}  // namespace buildplan::api
