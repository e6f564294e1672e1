// Takes one SQL statement out of a text, so that it can be sent: comments go, `$name` becomes `$1`, blank lines and
// trailing spaces go. It knows PostgreSQL's quotes ('…', E'…', "…", $tag$…$tag$) and nested comments (the manual,
// section 4.1), and nothing else of SQL: the server says what is wrong with it.
#pragma once

#include <string_view>

#include "gen/source.hpp"

namespace buildplan::gen {

// Fills sql, lines, parameters and outer_join. `first_line` is the line of the file where `text` begins. Throws
// SourceError.
void read_statement(std::string_view text, std::size_t first_line, Query& query);

}  // namespace buildplan::gen
