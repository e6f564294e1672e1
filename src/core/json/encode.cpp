#include "core/json/encode.hpp"

#include <fmt/core.h>

#include "core/json/writer.hpp"

namespace buildplan::json {
namespace {

class Encoder {
public:
    explicit Encoder(std::string& out) : out_(out) {}

    void write(Type const& type, void const* value) {
        switch (type.kind) {
            case Kind::boolean:
                return out_.boolean(*static_cast<bool const*>(value));
            case Kind::integer:
                return write_integer(type, value);
            case Kind::number:
                return out_.number(*static_cast<double const*>(value));
            case Kind::string:
                return out_.string(*static_cast<std::string const*>(value));
            case Kind::uuid:
                return out_.uuid(*static_cast<Uuid const*>(value));
            case Kind::timestamp:
                return out_.timestamp(*static_cast<Timestamp const*>(value));
            case Kind::enumeration:
                return write_enumeration(type, value);
            case Kind::optional:
            case Kind::patch: {
                auto const* const held = type.held(value);
                return held != nullptr ? write(*type.inner, held) : out_.null();
            }
            case Kind::list:
                return write_list(type, value);
            case Kind::map:
                return write_map(type, value);
            case Kind::object:
                return write_object(type, value);
            case Kind::any:
                return write_free(*static_cast<boost::json::value const*>(value));
            case Kind::any_object:
                return write_free(*static_cast<boost::json::object const*>(value));
        }
    }

private:
    template <class T>
    static T load(void const* from) noexcept {
        T value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }

    void write_integer(Type const& type, void const* value) {
        switch (type.is_signed ? -type.width : type.width) {
            case -8:
                return out_.integer(load<std::int64_t>(value));
            case -4:
                return out_.integer(std::int64_t{load<std::int32_t>(value)});
            case -2:
                return out_.integer(std::int64_t{load<std::int16_t>(value)});
            case -1:
                return out_.integer(std::int64_t{load<std::int8_t>(value)});
            case 8:
                return out_.integer(load<std::uint64_t>(value));
            case 4:
                return out_.integer(std::uint64_t{load<std::uint32_t>(value)});
            case 2:
                return out_.integer(std::uint64_t{load<std::uint16_t>(value)});
            default:
                return out_.integer(std::uint64_t{load<std::uint8_t>(value)});
        }
    }

    void write_enumeration(Type const& type, void const* value) {
        auto const number = type.get(value);
        for (auto const& enumerator : type.enumerators) {
            if (enumerator.value != number) continue;
            out_.raw('"');
            out_.raw(enumerator.name);
            out_.raw('"');
            return;
        }
        throw std::logic_error(fmt::format("{} has no enumerator {}", type.name, number));
    }

    void write_list(Type const& type, void const* value) {
        auto const [first, count] = type.elements(value);
        auto const* at = static_cast<std::byte const*>(first);
        out_.raw('[');
        for (std::size_t i = 0; i < count; ++i, at += type.stride) {
            if (i > 0) out_.raw(',');
            write(*type.inner, at);
        }
        out_.raw(']');
    }

    void write_map(Type const& type, void const* value) {
        struct Context {
            Encoder& encoder;
            Type const& inner;
            bool first;
        } context{*this, *type.inner, true};
        out_.raw('{');
        type.each(value, &context, [](void* opaque, std::string_view key, void const* element) {
            auto& [encoder, inner, first] = *static_cast<Context*>(opaque);
            if (!std::exchange(first, false)) encoder.out_.raw(',');
            encoder.out_.string(key);
            encoder.out_.raw(':');
            encoder.write(inner, element);
        });
        out_.raw('}');
    }

    static bool left_out(Member const& member, void const* value) {
        auto const& type = *member.type;
        if (type.kind == Kind::patch) return type.is_absent(value);
        return type.kind == Kind::optional && !member.rule.null_written && type.held(value) == nullptr;
    }

    void write_object(Type const& type, void const* object) {
        std::size_t skip = 1;  // no comma before the first member
        out_.raw('{');
        for (auto const& member : type.members) {
            auto const* const value = member.in_const(object);
            if (left_out(member, value)) continue;
            out_.raw(member.prefix.substr(skip));
            skip = 0;
            write(*member.type, value);
        }
        out_.raw('}');
    }

    void write_free(boost::json::value const& value) {
        switch (value.kind()) {
            case boost::json::kind::null:
                return out_.null();
            case boost::json::kind::bool_:
                return out_.boolean(value.get_bool());
            case boost::json::kind::int64:
                return out_.integer(value.get_int64());
            case boost::json::kind::uint64:
                return out_.integer(value.get_uint64());
            case boost::json::kind::double_:
                return out_.number(value.get_double());
            case boost::json::kind::string:
                return out_.string({value.get_string().data(), value.get_string().size()});
            case boost::json::kind::object:
                return write_free(value.get_object());
            case boost::json::kind::array:
                break;
        }
        out_.raw('[');
        bool first = true;
        for (auto const& element : value.get_array()) {
            if (!std::exchange(first, false)) out_.raw(',');
            write_free(element);
        }
        out_.raw(']');
    }

    void write_free(boost::json::object const& object) {
        out_.raw('{');
        bool first = true;
        for (auto const& pair : object) {
            if (!std::exchange(first, false)) out_.raw(',');
            out_.string({pair.key().data(), pair.key().size()});
            out_.raw(':');
            write_free(pair.value());
        }
        out_.raw('}');
    }

    Writer out_;
};

}  // namespace

void detail::append(std::string& out, Type const& type, void const* value) { Encoder{out}.write(type, value); }

}  // namespace buildplan::json
