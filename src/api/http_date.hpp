// Dates of rows as headers say them. The text is an RFC 3339 full-date ("2027-01-31"); empty gives an empty header.
// Throws std::logic_error for what is none: a row that was written wrong.
#pragma once

#include <string>
#include <string_view>

namespace buildplan::api {

// RFC 9745: a structured field date, "@1801440000".
std::string deprecation_header(std::string_view date);
// RFC 8594: an HTTP date, "Sun, 31 Jan 2027 00:00:00 GMT".
std::string sunset_header(std::string_view date);

}  // namespace buildplan::api
