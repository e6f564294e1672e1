// HTML text: escaping, and the little markup that descriptions use (paragraphs, "- " lists, `code`).
#pragma once

#include <string>
#include <string_view>

namespace buildplan::api::docs {

// &, <, >, " and ' as entities: safe in text and in quoted attributes.
std::string escape(std::string_view text);

// A text in which `code` is marked as code; everything else is escaped.
std::string with_code(std::string_view text);

// Paragraphs and lists; everything else is escaped.
std::string rich(std::string_view text);

// Letters, digits and hyphens of a text, lower case: for ids and anchors.
std::string anchor(std::string_view text);

}  // namespace buildplan::api::docs
