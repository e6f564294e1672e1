// Request: what a client asked for, as HTTP says it (RFC 9110, RFC 9112), checked before anyone sees it: a valid
// target, one Host, no ambiguous length, everything within its bounds. All views point into buffers of the connection
// and are valid until the handler has returned its response. Knows nothing of routes, JSON or who the caller is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "net/trace_context.hpp"
#include "runtime/task.hpp"

namespace buildplan::net {

struct Header {
    std::string_view name;  // as sent; compare without case
    std::string_view value;
};

// A parameter of the query, decoded: UTF-8, `+` read as a space.
struct QueryParameter {
    std::string_view name;
    std::string_view value;
};

// The body of a request whose BodyPolicy says `streamed`, pulled piece by piece, so that the client is held back by TCP
// when the handler is slow. May be left unread: the connection is then closed after the response.
class BodyReader {
public:
    BodyReader() = default;
    BodyReader(BodyReader const&) = delete;
    BodyReader& operator=(BodyReader const&) = delete;
    virtual ~BodyReader() = default;

    // The next bytes, valid until the next call; empty at the end. Throws Problem 400 (bad chunk), 408 (too slow),
    // 413 (beyond the policy's limit); boost::system::system_error when the client left.
    virtual task<std::string_view> read() = 0;
};

struct Request {
    std::string_view method;  // "GET", "HEAD", …: a HEAD goes through the handler like a GET, its body is dropped here
    std::string_view target;  // as sent
    // The path as sent: begins with '/', holds no control character, its escapes are well-formed. "*" for `OPTIONS *`.
    std::string_view raw_path;
    // The path with its escapes resolved. "%2F" and "%5C" stay as they are, so that a segment stays one; a path that
    // has a "." or ".." segment, encoded or not, or resolves to something that is not UTF-8 or has a NUL, was refused.
    std::string_view path;
    std::vector<QueryParameter> query;
    std::vector<Header> headers;
    std::string_view body;              // whole; empty when it is streamed
    BodyReader* body_reader = nullptr;  // set when it is streamed

    std::string_view remote;           // address of the client, as far as trusted proxies tell; no port
    std::string_view scheme = "http";  // "https" when a trusted proxy says so
    std::string_view host;             // with port if it was given; may be empty in HTTP/1.0
    std::string_view id;               // X-Request-Id if it was sane, else a new UUIDv7
    TraceContext trace{};
    Timestamp received{};  // first byte
    std::chrono::steady_clock::time_point started{};

    // For whoever routes: set when the head is seen, there again when the handler runs, so that a route is found once.
    void const* route = nullptr;

    // The first of that name; names are compared without case.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
    // The first of that name in the query.
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

}  // namespace buildplan::net
