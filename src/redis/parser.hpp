// Parser: bytes of RESP2 or RESP3, in whatever pieces they come, to Values. Text that lies whole in a piece is copied
// once, to its place. Bounded in every direction, because a size in the protocol is only a claim: nothing is allocated
// for what has not arrived. Throws ProtocolError, after which the parser stays unusable: there is no way back into
// step. RESP3's streamed types are refused, no Redis sends them; attributes are skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/value.hpp"

namespace buildplan::redis {

class Parser {
public:
    struct Limits {
        std::size_t bulk = 64uz * 1024 * 1024;     // one string
        std::size_t bytes = 256uz * 1024 * 1024;   // all strings of one reply
        std::size_t elements = 4uz * 1024 * 1024;  // of all aggregates of one reply
        std::size_t line = 64uz * 1024;            // a status, an error, a number
        std::size_t depth = 32;
    };

    Parser() = default;
    explicit Parser(Limits limits) : limits_(limits) {}

    // Takes from the front of `input` what belongs to the next reply, and gives the reply once it is whole. Nothing
    // means that all of `input` was taken and more is needed.
    std::optional<Value> next(std::string_view& input);

    // Within a reply: a connection that ends here has lost something.
    [[nodiscard]] bool in_the_middle() const noexcept {
        return in_bulk_ || !line_.empty() || !open_.empty() || attributes_ > 0;
    }

private:
    struct Open {  // an aggregate whose elements are still coming
        Value::Kind kind;
        bool attribute;
        std::uint64_t missing;
        Value::Items items;
    };

    [[noreturn]] void refuse(char const* why);
    std::optional<std::string_view> take_line(std::string_view& input);
    std::optional<Value> take_bulk(std::string_view& input);
    bool place_bulk(std::string_view& input);
    std::optional<Value> interpret(std::string_view line);
    std::optional<Value> begin_bulk(Value::Kind kind, std::string_view length);
    std::optional<Value> begin_aggregate(Value::Kind kind, std::string_view count, unsigned each,
                                         bool attribute = false);
    Value finish_bulk(std::string text);
    // Puts a whole value where it belongs; gives it back if that is the top.
    std::optional<Value> place(Value value);
    template <class Number>
    Number number(std::string_view text);

    Limits limits_;
    std::vector<Open> open_;
    std::string line_, whole_line_;  // a line that came in pieces
    bool in_bulk_ = false;
    Value::Kind bulk_kind_ = Value::Kind::bulk;
    std::size_t bulk_size_ = 0;
    std::string bulk_;  // text and its CR LF, as far as they have arrived
    std::size_t bytes_ = 0, elements_ = 0, attributes_ = 0;
    bool broken_ = false;
};

}  // namespace buildplan::redis
