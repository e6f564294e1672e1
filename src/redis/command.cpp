#include "redis/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "core/text.hpp"
#include "redis/script.hpp"

namespace buildplan::redis {
namespace {

// Where the key is, in commands where it is not the first argument; 0: nowhere. `COMMAND DOCS` says the same.
struct KeyPlace {
    std::string_view name;
    std::uint32_t argument;
};
constexpr std::array key_places{
    KeyPlace{"ASKING", 0},   KeyPlace{"AUTH", 0},      KeyPlace{"BITOP", 2},    KeyPlace{"CLIENT", 0},
    KeyPlace{"CLUSTER", 0},  KeyPlace{"CONFIG", 0},    KeyPlace{"DBSIZE", 0},   KeyPlace{"DEBUG", 0},
    KeyPlace{"DISCARD", 0},  KeyPlace{"ECHO", 0},      KeyPlace{"EVAL", 3},     KeyPlace{"EVALSHA", 3},
    KeyPlace{"EXEC", 0},     KeyPlace{"FCALL", 3},     KeyPlace{"FLUSHALL", 0}, KeyPlace{"FLUSHDB", 0},
    KeyPlace{"FUNCTION", 0}, KeyPlace{"HELLO", 0},     KeyPlace{"INFO", 0},     KeyPlace{"KEYS", 0},
    KeyPlace{"MEMORY", 2},   KeyPlace{"MULTI", 0},     KeyPlace{"OBJECT", 2},   KeyPlace{"PING", 0},
    KeyPlace{"PUBLISH", 0},  KeyPlace{"RANDOMKEY", 0}, KeyPlace{"SCAN", 0},     KeyPlace{"SCRIPT", 0},
    KeyPlace{"SELECT", 0},   KeyPlace{"TIME", 0},      KeyPlace{"WAIT", 0},     KeyPlace{"XGROUP", 2},
    KeyPlace{"XINFO", 2},
};
static_assert(std::ranges::is_sorted(key_places, {}, &KeyPlace::name));

constexpr bool same_name(std::string_view upper, std::string_view text) noexcept {
    return std::ranges::equal(upper, text, {}, {},
                              [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
}

}  // namespace

void Command::begin(std::string_view name) {
    body_.reserve(64);
    append(name);
    for (auto const& place : key_places) {
        if (same_name(place.name, name)) key_argument_ = place.argument;
    }
    key_after_streams_ = same_name("XREAD", name) || same_name("XREADGROUP", name);
    if (key_after_streams_) key_argument_ = 0;
}

void Command::append(std::string_view text) {
    char header[24] = {'$'};
    auto* end = std::to_chars(header + 1, header + sizeof header, text.size()).ptr;
    *end++ = '\r';
    *end++ = '\n';
    auto const header_size = static_cast<std::size_t>(end - header);
    auto const before = body_.size(), size = before + header_size + text.size() + 2;
    if (size > body_.capacity()) body_.reserve(std::max(size, 2 * body_.capacity()));
    body_.resize_and_overwrite(size, [&](char* out, std::size_t) {
        std::memcpy(out + before, header, header_size);
        if (!text.empty()) std::memcpy(out + before + header_size, text.data(), text.size());
        std::memcpy(out + size - 2, "\r\n", 2);
        return size;
    });
    ++count_;
}

Command& Command::arg(std::string_view text) {
    auto const place = script_ ? count_ : count_ - 1;  // arguments so far, not counting a name
    append(text);
    if (key_at_ == 0 && place + 1 == key_argument_) {
        key_size_ = static_cast<std::uint32_t>(text.size());
        key_at_ = static_cast<std::uint32_t>(body_.size() - 2 - text.size());
    }
    if (key_after_streams_ && ascii_iequals(text, "STREAMS")) {
        key_after_streams_ = false;
        key_argument_ = place + 2;
    }
    return *this;
}

Command& Command::arg(double number) {
    fmt::memory_buffer digits;
    fmt::format_to(std::back_inserter(digits), "{}", number);
    return arg(std::string_view(digits.data(), digits.size()));
}

std::string_view Command::name() const noexcept {
    if (script_) return "EVALSHA";
    auto const begin = body_.find('\n') + 1;
    return std::string_view(body_).substr(begin, body_.find('\r', begin) - begin);
}

void Command::encode(std::string& out, bool with_source) const {
    char header[24] = {'*'};
    auto* end = std::to_chars(header + 1, header + sizeof header, count_ + (script_ ? 2 : 0)).ptr;
    *end++ = '\r';
    *end++ = '\n';
    out.append(header, end);
    if (script_ && with_source) {
        fmt::format_to(std::back_inserter(out), "$4\r\nEVAL\r\n${}\r\n", script_->source().size());
        out += script_->source();
        out += "\r\n";
    } else if (script_) {
        out += "$7\r\nEVALSHA\r\n$40\r\n";
        out += script_->sha1();
        out += "\r\n";
    }
    out += body_;
}

}  // namespace buildplan::redis
