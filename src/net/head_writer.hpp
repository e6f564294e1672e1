// HeadWriter: the head of a response, written by hand into the connection's output buffer: status line, framing, date,
// what the response brings, request id, CORS and the security headers. What never changes is made once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "net/cors.hpp"
#include "net/response.hpp"

namespace buildplan::net {

struct ResponseFraming {
    enum class Body : std::uint8_t { none, length, chunked, until_close };
    Body body = Body::length;
    std::uint64_t length = 0;
    bool close = false;
    bool upgrade = false;  // to another protocol
    bool http_1_0 = false;
    bool gzip = false;
    bool vary_encoding = false;
};

// What a response says of the request that it answers; empty where that was too malformed to know.
struct Answered {
    std::string_view id, scheme, origin;
};

class HeadWriter {
public:
    HeadWriter(CorsPolicy const& cors, std::chrono::seconds hsts);

    void append(std::string& out, Response const& response, ResponseFraming const& framing, Answered const& answered);

private:
    void refresh_date();

    CorsPolicy const& cors_;
    std::string standard_, hsts_;  // the constant lines
    std::chrono::sys_seconds date_of_{};
    std::string date_;  // the whole line
};

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string http_date(std::chrono::sys_seconds time);

}  // namespace buildplan::net
