#include "core/json/decode.hpp"

#include <fmt/core.h>

#include <boost/json/monotonic_resource.hpp>

#include "core/json/free_json.hpp"
#include "core/json/pointer.hpp"
#include "core/json/read_scalar.hpp"
#include "core/json/utf8.hpp"

namespace buildplan::json {
namespace {

namespace dom = boost::json;

constexpr std::size_t longest_key = 200;  // of a map

std::string_view view(dom::key_value_pair const& pair) noexcept { return {pair.key().data(), pair.key().size()}; }

class Decoder {
public:
    Decoder(std::string_view prefix, Limits const& limits) : limits_(limits), complaints_(prefix, limits.errors) {}

    void read(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        switch (type.kind) {
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
                if (!value.is_object()) return complaints_.wrong_type(value, "an object", at);
                if (fits_free_json(value, rule, at))
                    *static_cast<dom::object*>(out) = dom::object(value.get_object(), {});
                return;
            default:
                return read_scalar(value, type, rule, out, at, complaints_);
        }
    }

    void finish() { complaints_.raise(); }

private:
    void read_nullable(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        if (!value.is_null()) return read(value, *type.inner, rule, type.add(out), at);
        if (!rule.null_refused) return type.clear(out);
        complaints_.add("null", "Must have a value; leave it out if there is none.", at);
    }

    bool fits_count(std::size_t count, Rule const& rule, Path const* at) {
        if (count < rule.min_items) {
            complaints_.add("too-few", fmt::format("Must have at least {} items.", rule.min_items), at);
            return false;
        }
        if (count > rule.max_items) {
            complaints_.add("too-many", fmt::format("Must have at most {} items.", rule.max_items), at);
            return false;
        }
        return true;
    }

    void read_list(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        if (!value.is_array()) return complaints_.wrong_type(value, "an array", at);
        auto const& array = value.get_array();
        if (!fits_count(array.size(), rule, at)) return;
        type.clear(out);
        type.reserve(out, array.size());
        for (std::size_t i = 0; i < array.size() && !complaints_.full(); ++i) {
            auto const here = Path::element(at, i);
            read(array[i], *type.inner, rule, type.add(out), &here);
        }
    }

    void read_map(dom::value const& value, Type const& type, Rule const& rule, void* out, Path const* at) {
        if (!value.is_object()) return complaints_.wrong_type(value, "an object", at);
        auto const& object = value.get_object();
        if (!fits_count(object.size(), rule, at)) return;
        type.clear(out);
        for (auto const& pair : object) {
            if (complaints_.full()) return;
            auto const key = view(pair);
            auto const here = Path::member(at, key);
            auto const length = utf8::code_points(key);
            if (!length || key.find('\0') != std::string_view::npos) {
                complaints_.add("format", "The key must be text without NUL characters.", &here);
            } else if (*length > longest_key) {
                complaints_.add("too-long", fmt::format("The key must be at most {} characters long.", longest_key),
                                &here);
            } else {
                read(pair.value(), *type.inner, rule, type.add_key(out, key), &here);
            }
        }
    }

    void read_object(dom::value const& value, Type const& type, void* out, Path const* at) {
        if (!value.is_object()) return complaints_.wrong_type(value, "an object", at);
        auto const& members = type.members;
        std::uint64_t seen = 0;  // a bit for each member
        std::size_t next = 0;    // people write members in the order that they read
        for (auto const& pair : value.get_object()) {
            if (complaints_.full()) return;
            auto const key = view(pair);
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
                complaints_.add("unknown-field", "There is no such field here.", &here);
            }
        }
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (!members[i].required || (seen >> i & 1) != 0) continue;
            auto const here = Path::member(at, members[i].name());
            complaints_.add("required", "This field is required.", &here);
        }
    }

    bool fits_free_json(dom::value const& value, Rule const& rule, Path const* at) {
        switch (check_free_json(value, rule.max_bytes, limits_.depth)) {
            case FreeJson::fits:
                return true;
            case FreeJson::too_long:
                complaints_.add("too-long", fmt::format("Must be at most {} bytes of JSON.", rule.max_bytes), at);
                return false;
            case FreeJson::too_deep:
                complaints_.add("too-long", fmt::format("Must be nested at most {} levels deep.", limits_.depth), at);
                return false;
            case FreeJson::bad_text:
                complaints_.add("format", "Must not have NUL characters in its strings and keys.", at);
                return false;
            case FreeJson::bad_number:
                complaints_.add("too-large", "Its numbers must be between -1.7e308 and 1.7e308.", at);
                return false;
        }
        return false;
    }

    Limits const& limits_;
    Complaints complaints_;
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
