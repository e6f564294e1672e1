// What goes to another's HTTP server and what comes back: plain data, and HttpError for the exchanges that brought no
// answer. An answer of whatever status is an answer, not an error.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "net/client/reach.hpp"
#include "net/client/retry.hpp"
#include "runtime/task.hpp"

namespace buildplan::net {

struct HttpHeader {
    std::string name;
    std::string value;
    friend bool operator==(HttpHeader const&, HttpHeader const&) = default;
};
using HttpHeaders = std::vector<HttpHeader>;

// The first value under a name, whatever its case; nullptr when there is none.
std::string const* find_header(HttpHeaders const& headers, std::string_view name) noexcept;

// How long the other side may take. What it does not do in time ends in HttpError::Kind::timeout.
struct HttpTimeouts {
    using Duration = std::chrono::steady_clock::duration;
    Duration connect = std::chrono::seconds{5};      // name look-up, TCP and TLS
    Duration first_byte = std::chrono::seconds{30};  // from the last byte that it took to the first that it gives
    Duration idle = std::chrono::seconds{30};        // between two pieces of the answer
    Duration total = std::chrono::seconds{60};       // all of it: the wait for a connection, retries and redirects too
};

// AWS Signature Version 4, made by libcurl.
struct AwsSignature {
    std::string scope;  // "aws:amz:eu-central-1:s3": providers, region, service
    std::string access_key;
    std::string secret_key;
};

struct HttpOptions {
    HttpTimeouts timeouts{};
    RetryPolicy retry{};
    Reach reach = Reach::public_only;
    // Of a body that is kept in memory, decoded. More is HttpError::Kind::too_large; so are more bytes of headers.
    std::size_t max_response = 8u << 20;
    std::size_t max_headers = 64u << 10;
    // How many redirects to follow; 0 gives the 3xx back as the answer. Only to http and https, never from https to
    // http; to another origin nothing goes along but what negotiates content.
    unsigned max_redirects = 0;
    bool gzip = true;    // ask for gzip and decode it; never with `stream`
    bool http2 = false;  // offer HTTP/2 by ALPN; never with `stream` or a source
    std::optional<AwsSignature> aws{};
};

// Gives the next piece of a request's body; an empty one ends it.
using HttpSource = std::function<task<std::string>()>;

struct HttpRequest {
    std::string method = "GET";
    std::string url{};  // absolute; http or https; without user and password
    // Not Host, Content-Length, Transfer-Encoding, Connection and their like: those are the client's.
    HttpHeaders headers{};
    std::string body{};
    // Instead of `body`, with its size where that is known. Such a request is never sent twice.
    HttpSource source{};
    std::optional<std::uint64_t> source_size{};
    std::string traceparent{};  // W3C Trace Context; empty: none is sent
    HttpOptions options{};
};

struct HttpResponse {
    int status = 0;
    HttpHeaders headers;
    std::string body;  // decoded
    std::string url;   // that answered, after redirects
    unsigned attempts = 1;
    std::chrono::steady_clock::duration duration{};  // of everything

    [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }
    [[nodiscard]] bool redirects() const noexcept;                                // to a Location
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;  // empty when there is none
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const;
};

// Takes a piece of a streamed answer, whose status and headers are in `head`. While it runs nothing more is read than
// fits a window of 64 KiB; `piece` lives as long as the task. An exception ends the exchange and comes out of `stream`.
using HttpSink = std::function<task<>(HttpResponse const& head, std::string_view piece)>;

// No answer. The message names the host at most; path, query, headers and body stay out of it.
class HttpError : public std::runtime_error {
public:
    enum class Kind : std::uint8_t {
        invalid,          // the request: its URL, method or a header
        refused_address,  // not where this request may go (Reach)
        resolve,          // the name has no address
        connect,          // nobody took the connection
        tls,              // handshake, or a certificate that does not hold
        timeout,
        too_large,   // more headers or body than the request allows
        redirect,    // too many, or to where none may go
        aborted,     // the connection was cut before the answer was complete
        protocol,    // what came back is not HTTP
        overloaded,  // too many wait for a connection already
        closed,      // the client was closed
    };
    static constexpr std::size_t kinds = 12;

    HttpError(Kind kind_, std::string const& message, bool safe_to_retry_ = false)
        : std::runtime_error(message), kind(kind_), safe_to_retry(safe_to_retry_) {}

    Kind kind;
    // Whether sending it again cannot do it twice: it has not reached the server, or it is idempotent.
    bool safe_to_retry;
};

std::string_view to_string(HttpError::Kind kind) noexcept;

}  // namespace buildplan::net
