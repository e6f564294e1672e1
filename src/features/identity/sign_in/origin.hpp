// Where a request came from, as it is kept with a session and in the audit log. Views into the request.
#pragma once

#include <string>
#include <string_view>

#include "net/request.hpp"

namespace buildplan::identity {

struct Origin {
    std::string_view address;
    std::string_view user_agent;  // cut to what is kept
    std::string_view request_id;

    static Origin of(net::Request const& request);
};

// What is counted as one place: an IPv4 address, or the /64 of an IPv6 address, which one household has whole.
std::string place_of(std::string_view address);

}  // namespace buildplan::identity
