// Response: what the handler answers. Plain: a status, headers and a body that is moved out; or streamed: a producer
// that writes pieces while the client takes them. Framing (Content-Length, chunks, Connection, Date), gzip, CORS and
// the security headers are added by the server; a security header that the response sets itself is left as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/task.hpp"

namespace buildplan::net {

namespace content_type {
inline constexpr std::string_view json = "application/json; charset=utf-8";
inline constexpr std::string_view problem = "application/problem+json";
inline constexpr std::string_view html = "text/html; charset=utf-8";
inline constexpr std::string_view text = "text/plain; charset=utf-8";
inline constexpr std::string_view bytes = "application/octet-stream";
}  // namespace content_type

// Where a streamed body goes.
class BodyWriter {
public:
    BodyWriter() = default;
    BodyWriter(BodyWriter const&) = delete;
    BodyWriter& operator=(BodyWriter const&) = delete;
    virtual ~BodyWriter() = default;

    // Returns when the kernel has taken the piece, so a slow client holds back the producer. Throws
    // boost::system::system_error when the client left or takes nothing for too long.
    virtual task<> write(std::string_view piece) = 0;
};

// What is left of a connection after a 101: the socket and the bytes that came behind the head.
struct Upgraded {
    TcpSocket& socket;
    std::string buffered;
};

class Response {
public:
    using Producer = std::move_only_function<task<>(BodyWriter&)>;
    using Takeover = std::move_only_function<task<>(Upgraded)>;

    Response() = default;
    // `type` must live as long as the program (the constants above); set another with header("Content-Type", …).
    Response(int status_, std::string_view type, std::string body_)
        : status(status_), content_type(type), body(std::move(body_)) {}
    explicit Response(int status_) : status(status_) {}

    int status = 200;
    std::string_view content_type;  // no Content-Type header when empty
    std::string body;
    // Streams the body instead; not compressed. An exception of it cuts the connection, so that the client can tell.
    // It is given the writer by reference; what else it needs it must own.
    Producer stream;
    // With status 101: takes over the connection once the head is out (WebSocket). The connection is closed when it
    // returns; it is cancelled when the server ends.
    Takeover upgrade;
    bool compress = true;  // false: never gzip (a body with secrets beside what an attacker chooses)
    bool close = false;    // close the connection after this

    // Adds a header. Throws std::invalid_argument when the name is not a token or the value holds CR, LF, NUL or
    // another control character, and for the framing headers that the server writes.
    Response& header(std::string_view name, std::string_view value);
    // The first of that name that was added.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
    [[nodiscard]] bool has(std::string_view name) const noexcept { return header(name).has_value(); }

    // The headers as they go out, "Name: value\r\n" each.
    [[nodiscard]] std::string_view header_lines() const noexcept { return lines_; }
    // Which of the headers that the server would add by itself are set here; bits of HeaderSet in net/head_writer.hpp.
    [[nodiscard]] std::uint32_t overrides() const noexcept { return overrides_; }

private:
    std::string lines_;
    std::uint32_t overrides_ = 0;
};

}  // namespace buildplan::net
