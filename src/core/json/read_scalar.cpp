#include "core/json/read_scalar.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstring>

#include "core/json/utf8.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"

namespace buildplan::json {
namespace {

namespace dom = boost::json;

std::string_view indefinite(dom::kind kind) noexcept {
    switch (kind) {
        case dom::kind::null:
            return "null";
        case dom::kind::bool_:
            return "a boolean";
        case dom::kind::int64:
        case dom::kind::uint64:
        case dom::kind::double_:
            return "a number";
        case dom::kind::string:
            return "a string";
        case dom::kind::array:
            return "an array";
        case dom::kind::object:
            return "an object";
    }
    return "something else";
}

std::string_view view(dom::string const& text) noexcept { return {text.data(), text.size()}; }

// Stays within the years that can be written again: an offset may lead out of them.
std::optional<Timestamp> parse_time(std::string_view text) noexcept {
    using namespace std::chrono;
    constexpr Timestamp first{sys_days{year{1} / 1 / 1}};
    constexpr Timestamp end{sys_days{year{10'000} / 1 / 1}};
    auto const time = parse_rfc3339(text);
    return time && *time >= first && *time < end ? time : std::nullopt;
}

// One value on its way into one place.
class Scalar {
public:
    Scalar(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at,
           Complaints& complaints)
        : value_(value), type_(type), rule_(rule), out_(out), at_(at), complaints_(complaints) {}

    void read() {
        switch (type_.kind) {
            case Kind::boolean:
                return boolean();
            case Kind::integer:
                return integer();
            case Kind::number:
                return number();
            case Kind::string:
                return string();
            case Kind::uuid:
                return formatted<Uuid>(Format::uuid, &Uuid::parse);
            case Kind::timestamp:
                return formatted<Timestamp>(Format::date_time, &parse_time);
            case Kind::enumeration:
                return enumeration();
            default:
                return;  // not scalars
        }
    }

private:
    void boolean() {
        if (!value_.is_bool()) return complaints_.wrong_type(value_, "true or false", at_);
        *static_cast<bool*>(out_) = value_.get_bool();
    }

    // Integers that are written with a fraction or exponent are taken up to 2^53: JSON Schema counts 1.0 as an integer.
    void integer() {
        if (!value_.is_number()) return complaints_.wrong_type(value_, "an integer", at_);
        unsigned const bits = 8u * type_.width - (type_.is_signed ? 1 : 0);
        std::uint64_t const type_highest = ~std::uint64_t{0} >> (64 - bits);
        std::int64_t const type_lowest = type_.is_signed ? -static_cast<std::int64_t>(type_highest) - 1 : 0;
        auto const lowest = std::max(type_lowest, rule_.lowest.value_or(type_lowest));
        auto const highest =
            rule_.highest && (*rule_.highest < 0 || static_cast<std::uint64_t>(*rule_.highest) < type_highest)
                ? std::to_string(*rule_.highest)
                : std::to_string(type_highest);
        auto const too_small = [&] { complaints_.add("too-small", fmt::format("Must be at least {}.", lowest), at_); };
        auto const too_large = [&] { complaints_.add("too-large", fmt::format("Must be at most {}.", highest), at_); };

        std::int64_t number = 0;
        if (auto const* whole = value_.if_uint64()) {
            if (*whole > type_highest || rule_.highest) return too_large();
            std::memcpy(out_, whole, type_.width);
            return;
        }
        if (auto const* whole = value_.if_int64()) {
            number = *whole;
        } else {
            double const real = value_.get_double();
            if (std::isfinite(real) && std::trunc(real) != real) {
                return complaints_.add("type", "Must be an integer, without a fraction.", at_);
            }
            // Whole numbers beyond 64 bits arrive here too, rounded: hence the ends are among what is refused.
            if (real >= std::ldexp(1.0, static_cast<int>(bits))) return too_large();
            if (real < static_cast<double>(type_lowest) || real <= -0x1p63) return too_small();
            if (std::fabs(real) > 0x1p53) {
                return complaints_.add("type", "Must be an integer, written without a fraction and exponent.", at_);
            }
            number = static_cast<std::int64_t>(real);
        }
        if (number < lowest) return too_small();
        if (number > 0 && static_cast<std::uint64_t>(number) > type_highest) return too_large();
        if (rule_.highest && number > *rule_.highest) return too_large();
        std::memcpy(out_, &number, type_.width);
    }

    void number() {
        if (!value_.is_number()) return complaints_.wrong_type(value_, "a number", at_);
        auto const number = value_.to_number<double>();
        if (rule_.lowest_real && number < *rule_.lowest_real) {
            return complaints_.add("too-small", fmt::format("Must be at least {}.", *rule_.lowest_real), at_);
        }
        if (rule_.highest_real && number > *rule_.highest_real) {
            return complaints_.add("too-large", fmt::format("Must be at most {}.", *rule_.highest_real), at_);
        }
        if (!std::isfinite(number)) {
            return complaints_.add(number < 0 ? "too-small" : "too-large", "Must be between -1.7e308 and 1.7e308.",
                                   at_);
        }
        *static_cast<double*>(out_) = number;
    }

    void string() {
        if (!value_.is_string()) return complaints_.wrong_type(value_, "a string", at_);
        auto const text = view(value_.get_string());
        auto const length = utf8::code_points(text);
        if (!length) return complaints_.add("format", "Must be well-formed UTF-8.", at_);
        if (*length < rule_.min_length) {
            return complaints_.add("too-short",
                                   *length == 0 ? std::string{"Must not be empty."}
                                                : fmt::format("Must be at least {} characters long.", rule_.min_length),
                                   at_);
        }
        if (*length > rule_.max_length) {
            return complaints_.add("too-long", fmt::format("Must be at most {} characters long.", rule_.max_length),
                                   at_);
        }
        if (text.find('\0') != std::string_view::npos || !matches(rule_.form, text)) {
            return complaints_.add("format", std::string{explain(rule_.form)}, at_);
        }
        static_cast<std::string*>(out_)->assign(text);
    }

    template <class T, class Parse>
    void formatted(Format format, Parse parse_text) {
        if (!value_.is_string()) return complaints_.wrong_type(value_, "a string", at_);
        auto const parsed = parse_text(view(value_.get_string()));
        if (!parsed) return complaints_.add("format", std::string{explain(format)}, at_);
        *static_cast<T*>(out_) = *parsed;
    }

    void enumeration() {
        if (!value_.is_string()) return complaints_.wrong_type(value_, "a string", at_);
        auto const text = view(value_.get_string());
        for (auto const& enumerator : type_.enumerators) {
            if (enumerator.name == text) return type_.set(out_, enumerator.value);
        }
        std::string detail = "Must be one of:";
        for (auto const& enumerator : type_.enumerators) detail.append(" ").append(enumerator.name).append(",");
        detail.back() = '.';
        complaints_.add("not-allowed", std::move(detail), at_);
    }

    dom::value const& value_;
    Type const& type_;
    Rule const& rule_;
    void* out_;
    Path const* at_;
    Complaints& complaints_;
};

}  // namespace

void Complaints::add(std::string_view code, std::string detail, Path const* at) {
    if (!full()) errors_.push_back({to_pointer(prefix_, at), std::string(code), std::move(detail)});
}

void Complaints::wrong_type(dom::value const& value, std::string_view wanted, Path const* at) {
    if (value.is_null()) return add("null", fmt::format("Must be {}; null is not allowed here.", wanted), at);
    add("type", fmt::format("Must be {}, not {}.", wanted, indefinite(value.kind())), at);
}

void Complaints::raise() {
    if (!errors_.empty()) throw problems::invalid(std::move(errors_));
}

void read_scalar(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at,
                 Complaints& complaints) {
    Scalar{value, type, rule, out, at, complaints}.read();
}

}  // namespace buildplan::json
