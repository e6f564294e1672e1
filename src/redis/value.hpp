// Value: one reply of a Redis server, in the types of RESP2 and RESP3 (redis.io/docs/reference/protocol-spec). A
// status, an integer or a short string costs no allocation. Accessors that do not fit the kind throw `UnexpectedReply`:
// what a command answers is known when it is written, so anything else is a defect or a foreign server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace buildplan::redis {

class Value {
public:
    enum class Kind : std::uint8_t {
        nil,
        integer,
        real,
        boolean,
        simple,      // +OK
        bulk,        // $5
        error,       // -ERR …, or RESP3's bulk error
        big_number,  // as its digits
        verbatim,    // with its three letters and colon taken off
        array,
        set,
        map,   // items() are key, value, key, value, …
        push,  // came without having been asked for
    };
    using Items = std::vector<Value>;

    Value() = default;
    static Value integer(std::int64_t number) { return {Kind::integer, number}; }
    static Value real(double number) { return {Kind::real, number}; }
    static Value boolean(bool truth) { return {Kind::boolean, std::int64_t{truth}}; }
    static Value text(Kind kind, std::string text) { return {kind, std::move(text)}; }
    static Value aggregate(Kind kind, Items items) { return {kind, std::move(items)}; }

    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] bool is_nil() const noexcept { return kind_ == Kind::nil; }
    [[nodiscard]] bool is_error() const noexcept { return kind_ == Kind::error; }
    [[nodiscard]] bool is_text() const noexcept { return std::holds_alternative<std::string>(data_); }
    [[nodiscard]] bool is_aggregate() const noexcept { return std::holds_alternative<Items>(data_); }

    // Integers, booleans, and text that is an integer.
    [[nodiscard]] std::int64_t as_integer() const;
    // Doubles, integers, and text that is a number.
    [[nodiscard]] double as_real() const;
    // Any kind of text, an error's too.
    [[nodiscard]] std::string_view as_text() const;
    [[nodiscard]] std::string take_text();
    // Any aggregate.
    [[nodiscard]] Items const& items() const;
    [[nodiscard]] Items& items();
    [[nodiscard]] Value const& operator[](std::size_t i) const;  // throws beyond the end, too
    [[nodiscard]] std::size_t size() const { return items().size(); }

    // The first word of an error, "MOVED" or "WRONGTYPE"; empty for what is none.
    [[nodiscard]] std::string_view error_code() const noexcept;

    friend bool operator==(Value const&, Value const&) = default;

private:
    using Data = std::variant<std::monostate, std::int64_t, double, std::string, Items>;
    template <class T>
    Value(Kind kind, T data) : kind_(kind), data_(std::move(data)) {}

    Kind kind_ = Kind::nil;
    Data data_;
};

}  // namespace buildplan::redis
