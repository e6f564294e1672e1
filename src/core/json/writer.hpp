// Writes JSON text to the end of a std::string: grows it ahead of need, so that each piece is a memcpy, and trims it
// when it goes. Strings come out as RFC 8259 section 7 wants them, and as well-formed UTF-8 whatever went in: what is
// not becomes U+FFFD. Throws nothing but std::bad_alloc.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "core/uuid.hpp"

namespace buildplan::json {

class Writer {
public:
    explicit Writer(std::string& out) : out_(out), used_(out.size()) {}
    ~Writer() { out_.resize(used_); }
    Writer(Writer const&) = delete;
    Writer& operator=(Writer const&) = delete;

    void raw(std::string_view text) {
        if (text.empty()) return;  // and perhaps without data
        auto* const at = room(text.size());
        std::memcpy(at, text.data(), text.size());
        used_ += text.size();
    }
    void raw(char c) {
        *room(1) = c;
        ++used_;
    }
    void boolean(bool value) { raw(value ? std::string_view{"true"} : std::string_view{"false"}); }
    void null() { raw("null"); }
    void integer(std::int64_t value);
    void integer(std::uint64_t value);
    // The shortest text that reads as the same double; null where JSON has no number for it.
    void number(double value);
    void string(std::string_view text);
    void uuid(Uuid const& id);
    void timestamp(Timestamp time);

private:
    // A place for `bytes` more; what is written there counts once used_ has grown.
    char* room(std::size_t bytes) {
        if (out_.size() - used_ < bytes) grow(bytes);
        return out_.data() + used_;
    }
    void grow(std::size_t bytes);
    void escape(unsigned char c);

    std::string& out_;
    std::size_t used_;
    std::string scratch_;
};

}  // namespace buildplan::json
