#include "redis/parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "redis/errors.hpp"

namespace buildplan::redis {

using Kind = Value::Kind;

void Parser::refuse(char const* why) {
    broken_ = true;
    throw ProtocolError(std::string("not a reply of Redis: ") + why);
}

std::optional<Value> Parser::next(std::string_view& input) {
    if (broken_) refuse("broken before");
    for (;;) {
        std::optional<Value> made;
        if (in_bulk_ && place_bulk(input)) continue;
        if (in_bulk_) {
            made = take_bulk(input);
            if (!made) return std::nullopt;
        } else {
            auto const line = take_line(input);
            if (!line) return std::nullopt;
            made = interpret(*line);
            if (!made) continue;
        }
        auto top = place(std::move(*made));
        if (!top) continue;
        bytes_ = elements_ = attributes_ = 0;
        return top;
    }
}

// A line without its CR LF. It stays valid until the next call.
std::optional<std::string_view> Parser::take_line(std::string_view& input) {
    auto const* const end = static_cast<char const*>(std::memchr(input.data(), '\n', input.size()));
    auto const taken = end ? static_cast<std::size_t>(end - input.data()) : input.size();
    if (line_.size() + taken > limits_.line) refuse("a line that is too long");
    if (!end) {
        line_ += input;
        input = {};
        return std::nullopt;
    }
    auto line = input.substr(0, taken);
    input.remove_prefix(taken + 1);
    if (!line_.empty()) {
        line_ += line;
        std::swap(line_, whole_line_);
        line_.clear();
        line = whole_line_;
    }
    if (!line.ends_with('\r')) refuse("a line without its carriage return");
    line.remove_suffix(1);
    return line;
}

std::optional<Value> Parser::take_bulk(std::string_view& input) {
    auto const whole = bulk_size_ + 2;
    if (bulk_.empty() && input.size() >= whole) {
        auto const text = input.substr(0, whole);
        input.remove_prefix(whole);
        if (!text.ends_with("\r\n")) refuse("text that does not end where it should");
        return finish_bulk(std::string(text.substr(0, bulk_size_)));
    }
    auto const taken = std::min(whole - bulk_.size(), input.size());
    bulk_ += input.substr(0, taken);
    input.remove_prefix(taken);
    if (bulk_.size() < whole) return std::nullopt;
    if (!bulk_.ends_with("\r\n")) refuse("text that does not end where it should");
    bulk_.resize(bulk_size_);
    return finish_bulk(std::exchange(bulk_, {}));
}

// The usual way, without detours: a text that is there as a whole, and not the last of its aggregate.
bool Parser::place_bulk(std::string_view& input) {
    if (open_.empty() || open_.back().missing < 2 || bulk_kind_ == Kind::verbatim) return false;
    if (!bulk_.empty() || input.size() < bulk_size_ + 2) return false;
    if (input[bulk_size_] != '\r' || input[bulk_size_ + 1] != '\n') return false;
    open_.back().items.push_back(Value::text(bulk_kind_, std::string(input.substr(0, bulk_size_))));
    --open_.back().missing;
    input.remove_prefix(bulk_size_ + 2);
    in_bulk_ = false;
    return true;
}

Value Parser::finish_bulk(std::string text) {
    in_bulk_ = false;
    if (bulk_kind_ == Kind::verbatim) {
        if (text.size() < 4 || text[3] != ':') refuse("verbatim text without its format");
        text.erase(0, 4);
    }
    return Value::text(bulk_kind_, std::move(text));
}

template <class Number>
Number Parser::number(std::string_view text) {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) refuse("a number that is none");
    }
    Number value{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) refuse("a number that is none");
    return value;
}

std::optional<Value> Parser::interpret(std::string_view line) {
    if (line.empty()) refuse("an empty line");
    auto const rest = line.substr(1);
    switch (line.front()) {
        case '+':
            return Value::text(Kind::simple, std::string(rest));
        case '-':
            return Value::text(Kind::error, std::string(rest));
        case ':':
            return Value::integer(number<std::int64_t>(rest));
        case '$':
            return begin_bulk(Kind::bulk, rest);
        case '*':
            return begin_aggregate(Kind::array, rest, 1);
        case '_':
            if (!rest.empty()) refuse("a null with something in it");
            return Value{};
        case '#':
            if (rest != "t" && rest != "f") refuse("a boolean that is neither");
            return Value::boolean(rest == "t");
        case ',':
            return Value::real(number<double>(rest));
        case '(': {
            auto const digits = rest.substr(rest.starts_with('-') || rest.starts_with('+') ? 1 : 0);
            if (digits.empty() || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) {
                refuse("a number that is none");
            }
            return Value::text(Kind::big_number, std::string(rest));
        }
        case '!':
            return begin_bulk(Kind::error, rest);
        case '=':
            return begin_bulk(Kind::verbatim, rest);
        case '%':
            return begin_aggregate(Kind::map, rest, 2);
        case '~':
            return begin_aggregate(Kind::set, rest, 1);
        case '>':
            return begin_aggregate(Kind::push, rest, 1);
        case '|':
            return begin_aggregate(Kind::map, rest, 2, true);
        default:
            refuse("a type that RESP does not have");
    }
}

std::optional<Value> Parser::begin_bulk(Kind kind, std::string_view length) {
    if (kind == Kind::bulk && length == "-1") return Value{};
    auto const size = number<std::uint64_t>(length);
    if (size > limits_.bulk) refuse("text that is too long");
    bytes_ += size;
    if (bytes_ > limits_.bytes) refuse("a reply that is too long");
    in_bulk_ = true;
    bulk_kind_ = kind;
    bulk_size_ = size;
    return std::nullopt;
}

std::optional<Value> Parser::begin_aggregate(Kind kind, std::string_view count, unsigned each, bool attribute) {
    if (kind == Kind::array && count == "-1") return Value{};
    auto const claimed = number<std::uint64_t>(count);
    if (claimed > limits_.elements) refuse("too many elements");
    auto const missing = claimed * each;
    elements_ += missing;
    if (elements_ > limits_.elements) refuse("too many elements");
    if (attribute && ++attributes_ > limits_.depth) refuse("too many attributes");
    if (missing == 0) {
        if (attribute) return std::nullopt;
        return Value::aggregate(kind, {});
    }
    if (open_.size() >= limits_.depth) refuse("aggregates within aggregates too deep");
    open_.push_back({.kind = kind, .attribute = attribute, .missing = missing, .items = {}});
    open_.back().items.reserve(std::min<std::uint64_t>(missing, 64));
    return std::nullopt;
}

std::optional<Value> Parser::place(Value value) {
    while (!open_.empty()) {
        auto& into = open_.back();
        into.items.push_back(std::move(value));
        if (--into.missing > 0) return std::nullopt;
        auto whole = std::move(into);
        open_.pop_back();
        if (whole.attribute) return std::nullopt;  // says something about the value that follows; we do not listen
        value = Value::aggregate(whole.kind, std::move(whole.items));
    }
    return value;
}

}  // namespace buildplan::redis
