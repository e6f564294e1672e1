#include "api/etag.hpp"

#include <charconv>

#include "core/problem.hpp"
#include "core/text.hpp"

namespace buildplan::api {
namespace {

constexpr std::size_t max_tags = 16;

struct Tag {
    std::string_view quoted;  // with its quotes
    bool weak = false;
};

// Nothing for what is not #entity-tag.
std::optional<std::vector<Tag>> parse_tags(std::string_view text) {
    std::vector<Tag> tags;
    for (text = trim(text); !text.empty(); text = trim(text)) {
        if (text.front() == ',') {  // empty elements are allowed (RFC 9110 section 5.6.1.2)
            text.remove_prefix(1);
            continue;
        }
        Tag tag;
        if (text.starts_with("W/")) {
            tag.weak = true;
            text.remove_prefix(2);
        }
        if (!text.starts_with('"')) return std::nullopt;
        auto const end = text.find('"', 1);
        if (end == std::string_view::npos) return std::nullopt;
        tag.quoted = text.substr(0, end + 1);
        text = trim(text.substr(end + 1));
        if (!text.empty() && text.front() != ',') return std::nullopt;
        tags.push_back(tag);
        if (tags.size() > max_tags) return std::nullopt;
    }
    return tags;
}

std::string tail_of(Uuid const& id) { return id.to_string().substr(24); }

// The version in a tag of ours for that id.
std::optional<std::int64_t> version_in(std::string_view quoted, Uuid const& id) {
    auto const inside = quoted.substr(1, quoted.size() - 2);
    std::int64_t version = 0;
    auto const [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), version);
    if (error != std::errc{}) return std::nullopt;
    // Compared as a whole, so that no second spelling of a number passes.
    return make_etag(id, version) == quoted ? std::optional{version} : std::nullopt;
}

}  // namespace

std::string make_etag(Uuid const& id, std::int64_t version) {
    return '"' + std::to_string(version) + '.' + tail_of(id) + '"';
}

IfMatch parse_if_match(std::optional<std::string_view> header, Uuid const& id) {
    if (!header || trim(*header) == "*") return {};
    auto const tags = parse_tags(*header);
    if (!tags || tags->empty()) throw problems::malformed("If-Match is not a list of at most 16 entity tags.");
    IfMatch match{.anything = false, .versions = {}};
    for (auto const& tag : *tags) {
        if (tag.weak) continue;
        if (auto const version = version_in(tag.quoted, id)) match.versions.push_back(*version);
    }
    return match;
}

bool none_match_names(std::string_view header, std::string_view etag) {
    if (trim(header) == "*") return true;
    auto const tags = parse_tags(header);
    if (!tags) return false;
    for (auto const& tag : *tags) {
        if (tag.quoted == etag) return true;
    }
    return false;
}

}  // namespace buildplan::api
