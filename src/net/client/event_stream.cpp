#include "net/client/event_stream.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

namespace buildplan::net {

void EventStream::feed(std::string_view piece) {
    while (!piece.empty()) {
        if (std::exchange(after_cr_, false) && piece.front() == '\n') {
            piece.remove_prefix(1);
            continue;
        }
        auto const end = piece.find_first_of("\r\n");
        auto const part = piece.substr(0, end);
        if (partial_.size() + part.size() + data_.size() > max_event_)
            throw std::length_error("a server-sent event is too long");
        if (end == std::string_view::npos) {
            partial_ += part;
            return;
        }
        after_cr_ = piece[end] == '\r';
        piece.remove_prefix(end + 1);
        if (partial_.empty()) {
            line(part);
        } else {
            partial_ += part;
            auto const whole = std::exchange(partial_, {});
            line(whole);
        }
    }
}

std::optional<ServerEvent> EventStream::next() {
    if (ready_.empty()) return {};
    auto event = std::move(ready_.front());
    ready_.pop_front();
    return event;
}

void EventStream::line(std::string_view text) {
    if (std::exchange(first_line_, false) && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (text.empty()) return dispatch();
    auto const colon = text.find(':');
    if (colon == 0) return;  // a comment
    auto value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    field(text.substr(0, colon), value);
}

void EventStream::field(std::string_view name, std::string_view value) {
    if (name == "data") {
        data_ += value;
        data_ += '\n';
    } else if (name == "event") {
        type_ = value;
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos) id_ = value;
    } else if (name == "retry") {
        std::uint32_t count = 0;
        auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
        if (error == std::errc() && end == value.data() + value.size()) retry_ = std::chrono::milliseconds{count};
    }
}

void EventStream::dispatch() {
    auto type = std::exchange(type_, {});
    last_id_ = id_;
    if (data_.empty()) return;
    auto data = std::exchange(data_, {});
    data.pop_back();
    ready_.push_back({type.empty() ? "message" : std::move(type), std::move(data), last_id_});
}

}  // namespace buildplan::net
