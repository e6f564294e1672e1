// The server's own rendering of a problem (RFC 9457), for what never reaches the floor above.
#pragma once

#include <string>
#include <string_view>

namespace buildplan::net {

// `id` is the request's, empty where there is none.
std::string plain_problem(int status, std::string_view code, std::string_view detail, std::string_view id);

}  // namespace buildplan::net
