#include "redis/value.hpp"

#include <charconv>

#include "redis/errors.hpp"

namespace buildplan::redis {
namespace {

[[noreturn]] void unexpected(char const* wanted, Value const& got) {
    static constexpr char const* names[] = {"nil",   "an integer", "a double",     "a boolean",     "a status",
                                            "text",  "an error",   "a big number", "verbatim text", "an array",
                                            "a set", "a map",      "a push"};
    throw UnexpectedReply(std::string("Redis answered with ") + names[static_cast<std::size_t>(got.kind())] +
                          " instead of " + wanted);
}

template <class Number>
Number parse(std::string_view text, char const* wanted, Value const& got) {
    Number number{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) unexpected(wanted, got);
    return number;
}

}  // namespace

std::int64_t Value::as_integer() const {
    if (auto const* number = std::get_if<std::int64_t>(&data_)) return *number;
    auto const* text = is_error() ? nullptr : std::get_if<std::string>(&data_);
    if (!text) unexpected("an integer", *this);
    return parse<std::int64_t>(*text, "an integer", *this);
}

double Value::as_real() const {
    if (auto const* number = std::get_if<double>(&data_)) return *number;
    if (auto const* number = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*number);
    auto const* text = is_error() ? nullptr : std::get_if<std::string>(&data_);
    if (!text) unexpected("a number", *this);
    return parse<double>(*text, "a number", *this);
}

std::string_view Value::as_text() const {
    auto const* text = std::get_if<std::string>(&data_);
    if (!text) unexpected("text", *this);
    return *text;
}

std::string Value::take_text() {
    auto* text = std::get_if<std::string>(&data_);
    if (!text) unexpected("text", *this);
    return std::move(*text);
}

Value::Items const& Value::items() const {
    auto const* items = std::get_if<Items>(&data_);
    if (!items) unexpected("an array", *this);
    return *items;
}

Value::Items& Value::items() {
    auto* items = std::get_if<Items>(&data_);
    if (!items) unexpected("an array", *this);
    return *items;
}

Value const& Value::operator[](std::size_t i) const {
    auto const& all = items();
    if (i >= all.size()) throw UnexpectedReply("Redis answered with fewer elements than expected");
    return all[i];
}

std::string_view Value::error_code() const noexcept {
    if (!is_error()) return {};
    auto const* text = std::get_if<std::string>(&data_);
    if (!text) return {};
    return std::string_view(*text).substr(0, text->find(' '));
}

}  // namespace buildplan::redis
