// EventStream: reads server-sent events (WHATWG HTML, section 9.2 "Server-sent events") out of a body that comes in
// pieces, cut anywhere: within a line, a CRLF, a code point or the byte order mark. Every line and event is bounded:
// `feed` throws std::length_error beyond that, and the stream is of no use after.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan::net {

struct ServerEvent {
    std::string type = "message";
    std::string data;
    std::string id;  // the last one that the stream gave, with whichever event
    friend bool operator==(ServerEvent const&, ServerEvent const&) = default;
};

class EventStream {
public:
    explicit EventStream(std::size_t max_event = 1u << 20) : max_event_(max_event) {}

    void feed(std::string_view piece);
    // The next complete event. One that the end of the stream cut off never comes.
    std::optional<ServerEvent> next();

    [[nodiscard]] std::string const& last_id() const noexcept { return last_id_; }  // for Last-Event-ID
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }

private:
    void line(std::string_view text);
    void field(std::string_view name, std::string_view value);
    void dispatch();

    std::size_t max_event_;
    std::string partial_;  // of a line
    bool first_line_ = true;
    bool after_cr_ = false;  // a line feed that comes now belongs to the carriage return before it
    std::string data_;
    std::string type_;
    std::string id_;  // of the event that is being read; the stream's when the event is complete
    std::string last_id_;
    std::optional<std::chrono::milliseconds> retry_;
    std::deque<ServerEvent> ready_;
};

}  // namespace buildplan::net
