#include "core/json/decode.hpp"

#include <fmt/core.h>

#include <boost/json/monotonic_resource.hpp>
#include <cmath>

#include "core/json/free_json.hpp"
#include "core/json/pointer.hpp"
#include "core/json/utf8.hpp"
#include "core/problem.hpp"

namespace buildplan::json {
namespace {

namespace dom = boost::json;

constexpr std::size_t longest_key = 200;  // of a map

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

class Decoder {
public:
    Decoder(std::string_view prefix, Limits const& limits) : prefix_(prefix), limits_(limits) {}

    void read(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        switch (type.kind) {
            case Kind::boolean:
                return read_boolean(value, out, at);
            case Kind::integer:
                return read_integer(value, type, rule, out, at);
            case Kind::number:
                return read_number(value, rule, out, at);
            case Kind::string:
                return read_string(value, rule, out, at);
            case Kind::uuid:
                return read_formatted(value, Format::uuid, &Uuid::parse, static_cast<Uuid*>(out), at);
            case Kind::timestamp:
                return read_formatted(value, Format::date_time, &parse_time, static_cast<Timestamp*>(out), at);
            case Kind::enumeration:
                return read_enumeration(value, type, out, at);
            case Kind::optional:
            case Kind::patch:
                return read_nullable(value, type, rule, out, at);
            case Kind::list:
                return read_list(value, type, rule, out, at);
            case Kind::map:
                return read_map(value, type, rule, out, at);
            case Kind::object:
                return read_object(value, type, out, at);
            case Kind::any:
                if (fits_free_json(value, rule, at)) *static_cast<dom::value*>(out) = dom::value(value, {});
                return;
            case Kind::any_object:
                if (!value.is_object()) return wrong_type(value, "an object", at);
                if (fits_free_json(value, rule, at))
                    *static_cast<dom::object*>(out) = dom::object(value.get_object(), {});
                return;
        }
    }

    void finish() {
        if (!errors_.empty()) throw problems::invalid(std::move(errors_));
    }

private:
    [[nodiscard]] bool full() const noexcept { return errors_.size() >= limits_.errors; }

    void complain(std::string_view code, std::string detail, Path const* at) {
        if (!full()) errors_.push_back({to_pointer(prefix_, at), std::string(code), std::move(detail)});
    }

    void wrong_type(dom::value const& value, std::string_view wanted, Path const* at) {
        if (value.is_null()) return complain("null", fmt::format("Must be {}; null is not allowed here.", wanted), at);
        complain("type", fmt::format("Must be {}, not {}.", wanted, indefinite(value.kind())), at);
    }

    void read_boolean(dom::value const& value, void* out, Path const* at) {
        if (!value.is_bool()) return wrong_type(value, "true or false", at);
        *static_cast<bool*>(out) = value.get_bool();
    }

    // Integers that are written with a fraction or exponent are taken up to 2^53: JSON Schema counts 1.0 as an integer.
    void read_integer(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        if (!value.is_number()) return wrong_type(value, "an integer", at);
        unsigned const bits = 8u * type.width - (type.is_signed ? 1 : 0);
        std::uint64_t const type_highest = ~std::uint64_t{0} >> (64 - bits);
        std::int64_t const type_lowest = type.is_signed ? -static_cast<std::int64_t>(type_highest) - 1 : 0;
        // Before zero the rule's end is above the type's or is the same; beyond int64 there are only unsigned types.
        auto const lowest = std::max(type_lowest, rule.lowest.value_or(type_lowest));
        auto const highest =
            rule.highest && (*rule.highest < 0 || static_cast<std::uint64_t>(*rule.highest) < type_highest)
                ? std::to_string(*rule.highest)
                : std::to_string(type_highest);
        auto const too_small = [&] { complain("too-small", fmt::format("Must be at least {}.", lowest), at); };
        auto const too_large = [&] { complain("too-large", fmt::format("Must be at most {}.", highest), at); };

        std::int64_t number = 0;
        if (auto const* whole = value.if_uint64()) {
            if (*whole > type_highest || rule.highest) return too_large();
            std::memcpy(out, whole, type.width);
            return;
        }
        if (auto const* whole = value.if_int64()) {
            number = *whole;
        } else {
            double const real = value.get_double();
            if (std::isfinite(real) && std::trunc(real) != real) {
                return complain("type", "Must be an integer, without a fraction.", at);
            }
            if (std::fabs(real) > 9007199254740992.0) return real < 0 ? too_small() : too_large();
            number = static_cast<std::int64_t>(real);
        }
        if (number < lowest) return too_small();
        if (number > 0 && static_cast<std::uint64_t>(number) > type_highest) return too_large();
        if (rule.highest && number > *rule.highest) return too_large();
        std::memcpy(out, &number, type.width);
    }

    void read_number(dom::value const& value, Rule const& rule, void* out, Path const* at) {
        if (!value.is_number()) return wrong_type(value, "a number", at);
        auto const number = value.to_number<double>();
        if (rule.lowest_real && number < *rule.lowest_real) {
            return complain("too-small", fmt::format("Must be at least {}.", *rule.lowest_real), at);
        }
        if (rule.highest_real && number > *rule.highest_real) {
            return complain("too-large", fmt::format("Must be at most {}.", *rule.highest_real), at);
        }
        if (!std::isfinite(number)) {
            return complain(number < 0 ? "too-small" : "too-large", "Must be between -1.7e308 and 1.7e308.", at);
        }
        *static_cast<double*>(out) = number;
    }

    void read_string(dom::value const& value, Rule const& rule, void* out, Path const* at) {
        if (!value.is_string()) return wrong_type(value, "a string", at);
        auto const text = view(value.get_string());
        auto const length = utf8::code_points(text);
        if (!length) return complain("format", "Must be well-formed UTF-8.", at);
        if (*length < rule.min_length) {
            return complain("too-short",
                            *length == 0 ? std::string{"Must not be empty."}
                                         : fmt::format("Must be at least {} characters long.", rule.min_length),
                            at);
        }
        if (*length > rule.max_length) {
            return complain("too-long", fmt::format("Must be at most {} characters long.", rule.max_length), at);
        }
        if (text.find('\0') != std::string_view::npos || !matches(rule.form, text)) {
            return complain("format", std::string{explain(rule.form)}, at);
        }
        static_cast<std::string*>(out)->assign(text);
    }

    // Stays within the years that can be written again: an offset may lead out of them.
    static std::optional<Timestamp> parse_time(std::string_view text) noexcept {
        using namespace std::chrono;
        constexpr Timestamp first{sys_days{year{1} / 1 / 1}};
        constexpr Timestamp end{sys_days{year{10'000} / 1 / 1}};
        auto const time = parse_rfc3339(text);
        return time && *time >= first && *time < end ? time : std::nullopt;
    }

    template <class T, class Parse>
    void read_formatted(dom::value const& value, Format format, Parse parse_text, T* out, Path const* at) {
        if (!value.is_string()) return wrong_type(value, "a string", at);
        auto const parsed = parse_text(view(value.get_string()));
        if (!parsed) return complain("format", std::string{explain(format)}, at);
        *out = *parsed;
    }

    void read_enumeration(dom::value const& value, Type const& type, void* out, Path const* at) {
        if (!value.is_string()) return wrong_type(value, "a string", at);
        auto const text = view(value.get_string());
        for (auto const& enumerator : type.enumerators) {
            if (enumerator.name == text) return type.set(out, enumerator.value);
        }
        std::string detail = "Must be one of:";
        for (auto const& enumerator : type.enumerators)
            fmt::format_to(std::back_inserter(detail), " {},", enumerator.name);
        detail.back() = '.';
        complain("not-allowed", std::move(detail), at);
    }

    void read_nullable(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        if (!value.is_null()) return read(value, *type.inner, rule, type.add(out), at);
        if (!rule.null_refused) return type.clear(out);
        complain("null", "Must have a value; leave it out if there is none.", at);
    }

    bool fits_count(std::size_t count, Rule const& rule, Path const* at) {
        if (count < rule.min_items) {
            complain("too-few", fmt::format("Must have at least {} items.", rule.min_items), at);
            return false;
        }
        if (count > rule.max_items) {
            complain("too-many", fmt::format("Must have at most {} items.", rule.max_items), at);
            return false;
        }
        return true;
    }

    void read_list(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        if (!value.is_array()) return wrong_type(value, "an array", at);
        auto const& array = value.get_array();
        if (!fits_count(array.size(), rule, at)) return;
        type.clear(out);
        type.reserve(out, array.size());
        for (std::size_t i = 0; i < array.size() && !full(); ++i) {
            auto const here = Path::element(at, i);
            read(array[i], *type.inner, rule, type.add(out), &here);
        }
    }

    void read_map(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        if (!value.is_object()) return wrong_type(value, "an object", at);
        auto const& object = value.get_object();
        if (!fits_count(object.size(), rule, at)) return;
        type.clear(out);
        for (auto const& pair : object) {
            if (full()) return;
            std::string_view const key{pair.key().data(), pair.key().size()};
            auto const here = Path::member(at, key);
            auto const length = utf8::code_points(key);
            if (!length || key.find('\0') != std::string_view::npos) {
                complain("format", "The key must be text without NUL characters.", &here);
            } else if (*length > longest_key) {
                complain("too-long", fmt::format("The key must be at most {} characters long.", longest_key), &here);
            } else {
                read(pair.value(), *type.inner, rule, type.add_key(out, key), &here);
            }
        }
    }

    void read_object(dom::value const& value, Type const& type, void* out, Path const* at) {
        if (!value.is_object()) return wrong_type(value, "an object", at);
        auto const& members = type.members;
        std::uint64_t seen = 0;  // a bit for each member
        std::size_t next = 0;    // people write members in the order that they read
        for (auto const& pair : value.get_object()) {
            if (full()) return;
            std::string_view const key{pair.key().data(), pair.key().size()};
            auto const here = Path::member(at, key);
            if (next >= members.size() || members[next].name() != key) {
                next = 0;
                while (next < members.size() && members[next].name() != key) ++next;
            }
            if (next < members.size()) {
                seen |= std::uint64_t{1} << next;
                auto const& member = members[next++];
                read(pair.value(), *member.type, member.rule, member.in(out), &here);
            } else if (!type.unknown_ignored) {
                complain("unknown-field", "There is no such field here.", &here);
            }
        }
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (!members[i].required || (seen >> i & 1) != 0) continue;
            auto const here = Path::member(at, members[i].name());
            complain("required", "This field is required.", &here);
        }
    }

    bool fits_free_json(dom::value const& value, Rule const& rule, Path const* at) {
        switch (check_free_json(value, rule.max_bytes, limits_.depth)) {
            case FreeJson::fits:
                return true;
            case FreeJson::too_long:
                complain("too-long", fmt::format("Must be at most {} bytes of JSON.", rule.max_bytes), at);
                return false;
            case FreeJson::too_deep:
                complain("too-long", fmt::format("Must be nested at most {} levels deep.", limits_.depth), at);
                return false;
            case FreeJson::bad_text:
                complain("format", "Must not have NUL characters in its strings and keys.", at);
                return false;
            case FreeJson::bad_number:
                complain("too-large", "Its numbers must be between -1.7e308 and 1.7e308.", at);
                return false;
        }
        return false;
    }

    std::string_view prefix_;
    Limits const& limits_;
    std::vector<FieldError> errors_;
};

constexpr Rule no_rule{};

}  // namespace

namespace detail {

void decode_value(boost::json::value const& value, Type const& type, void* out, std::string_view prefix,
                  Limits const& limits) {
    Decoder decoder{prefix, limits};
    decoder.read(value, type, no_rule, out, nullptr);
    decoder.finish();
}

void decode_text(std::string_view text, Type const& type, void* out, Limits const& limits) {
    unsigned char buffer[4096];
    boost::json::monotonic_resource memory{buffer, sizeof buffer};
    auto const value = parse(text, limits, &memory);
    decode_value(value, type, out, {}, limits);
}

}  // namespace detail
}  // namespace buildplan::json
