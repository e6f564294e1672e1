#include "core/json/schema.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "core/json/encode.hpp"
#include "core/json/parse.hpp"

namespace buildplan::json {
namespace {

using boost::json::array;
using boost::json::object;

// "a::Page<b::Request>" → "RequestPage"; arguments first, because that is how one says it.
std::string short_name(std::string_view name) {
    auto const open = name.find('<');
    auto const whole = name.substr(0, open);
    auto const colon = whole.rfind(':');
    std::string last{colon == std::string_view::npos ? whole : whole.substr(colon + 1)};
    if (open == std::string_view::npos) return last;

    std::string arguments;
    auto const inside = name.substr(open + 1, name.rfind('>') - open - 1);
    std::size_t depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= inside.size(); ++i) {
        if (i == inside.size() || (inside[i] == ',' && depth == 0)) {
            auto argument = inside.substr(begin, i - begin);
            argument.remove_prefix(std::min(argument.find_first_not_of(' '), argument.size()));
            arguments += short_name(argument);
            begin = i + 1;
        } else if (inside[i] == '<') {
            ++depth;
        } else if (inside[i] == '>') {
            --depth;
        }
    }
    arguments += last;
    return arguments;
}

bool is_named(Type const& type) noexcept { return type.kind == Kind::object || type.kind == Kind::enumeration; }

// Makes null fit too.
object nullable(object schema) {
    if (schema.contains("$ref")) return {{"anyOf", array{std::move(schema), object{{"type", "null"}}}}};
    if (auto* type = schema.if_contains("type")) *type = array{*type, "null"};
    return schema;
}

class Renderer {
public:
    Renderer(std::string_view prefix, Use use) : prefix_(prefix), use_(use) {}

    object reference(Type const& type) const { return {{"$ref", fmt::format("{}{}", prefix_, schema_name(type))}}; }

    // The schema of a type where it is used.
    object used(Type const& type, Rule const& rule) const {
        switch (type.kind) {
            case Kind::boolean:
                return {{"type", "boolean"}};
            case Kind::integer:
                return integer(type, rule);
            case Kind::number:
                return number(rule);
            case Kind::string:
                return string(rule);
            case Kind::uuid:
                return {{"type", "string"}, {"format", "uuid"}};
            case Kind::timestamp:
                return {{"type", "string"}, {"format", "date-time"}};
            case Kind::enumeration:
            case Kind::object:
                return reference(type);
            case Kind::optional:
            case Kind::patch: {
                auto inner = used(*type.inner, rule);
                bool const null_read = use_ == Use::reading && !rule.null_refused;
                return null_read || rule.null_written || type.kind == Kind::patch ? nullable(std::move(inner)) : inner;
            }
            case Kind::list:
                return counted({{"type", "array"}, {"items", used(*type.inner, rule)}}, "Items", rule);
            case Kind::map:
                return counted({{"type", "object"}, {"additionalProperties", used(*type.inner, rule)}}, "Properties",
                               rule);
            case Kind::any:
                return {};
            case Kind::any_object:
                return {{"type", "object"}};
        }
        return {};
    }

    // The schema of a named type itself.
    object definition(Type const& type) const {
        return type.kind == Kind::object ? structure(type) : enumeration(type);
    }

private:
    static object enumeration(Type const& type) {
        array names;
        for (auto const& enumerator : type.enumerators) names.emplace_back(enumerator.name);
        return {{"type", "string"}, {"enum", std::move(names)}};
    }

    static object integer(Type const& type, Rule const& rule) {
        object schema{{"type", "integer"}};
        bool const wide = type.width == 8;
        if (type.is_signed && type.width >= 4) schema["format"] = wide ? "int64" : "int32";
        // What neither the format nor the rule says.
        std::optional<std::int64_t> low = rule.lowest;
        std::optional<std::int64_t> high = rule.highest;
        if (!low && !type.is_signed) low = 0;
        if (type.width < 4 || (type.width == 4 && !type.is_signed)) {
            auto const highest = (std::int64_t{1} << (8 * type.width - (type.is_signed ? 1 : 0))) - 1;
            if (!high) high = highest;
            if (!low) low = -highest - 1;
        }
        if (low) schema["minimum"] = *low;
        if (high) schema["maximum"] = *high;
        return schema;
    }

    static object number(Rule const& rule) {
        object schema{{"type", "number"}, {"format", "double"}};
        if (rule.lowest_real) schema["minimum"] = *rule.lowest_real;
        if (rule.highest_real) schema["maximum"] = *rule.highest_real;
        return schema;
    }

    // Bounds that nobody set hold for what comes in; about what goes out they say nothing.
    object string(Rule const& rule) const {
        object schema{{"type", "string"}};
        std::uint32_t most = rule.max_length;
        switch (rule.form) {
            case Format::none:
            case Format::line:
                break;
            case Format::email:
                schema["format"] = "email";
                most = std::min(most, longest_email);
                break;
            case Format::url:
                schema["format"] = "uri";
                most = std::min(most, longest_url);
                break;
            case Format::uuid:
                schema["format"] = "uuid";
                return schema;
            case Format::date_time:
                schema["format"] = "date-time";
                return schema;
            case Format::slug:
                schema["pattern"] = "^[a-z0-9]+(-[a-z0-9]+)*$";
                most = std::min(most, longest_slug);
                break;
        }
        if (rule.min_length > 0) schema["minLength"] = rule.min_length;
        if (rule.sets_length || rule.form != Format::none || use_ == Use::reading) schema["maxLength"] = most;
        return schema;
    }

    object counted(object schema, std::string_view what, Rule const& rule) const {
        if (rule.min_items > 0) schema[fmt::format("min{}", what)] = rule.min_items;
        if (rule.sets_items || use_ == Use::reading) schema[fmt::format("max{}", what)] = rule.max_items;
        return schema;
    }

    bool is_required(Member const& member) const {
        if (use_ == Use::reading) return member.required;
        bool const may_be_left_out =
            member.type->kind == Kind::patch || (member.type->kind == Kind::optional && !member.rule.null_written);
        return !may_be_left_out;
    }

    object structure(Type const& type) const {
        object schema{{"type", "object"}};
        if (!type.description.empty()) schema["description"] = type.description;
        array required;
        object properties;
        for (auto const& member : type.members) {
            auto property = used(*member.type, member.rule);
            if (!member.rule.description.empty()) property["description"] = member.rule.description;
            if (member.rule.has_default && use_ == Use::reading) property["default"] = initial(type, member);
            properties[member.name()] = std::move(property);
            if (is_required(member)) required.emplace_back(member.name());
        }
        if (!required.empty()) schema["required"] = std::move(required);
        schema["properties"] = std::move(properties);
        if (use_ == Use::reading && !type.unknown_ignored) schema["additionalProperties"] = false;
        return schema;
    }

    // What the struct initialises the member with.
    static boost::json::value initial(Type const& type, Member const& member) {
        struct Context {
            Member const& member;
            std::string text;
        } context{member, {}};
        type.with_fresh(&context, [](void* opaque, void const* fresh) {
            auto& [which, text] = *static_cast<Context*>(opaque);
            detail::append(text, *which.type, which.in_const(fresh));
        });
        return parse(context.text);
    }

    std::string_view prefix_;
    Use use_;
};

constexpr Rule no_rule{};

}  // namespace

std::string schema_name(Type const& type) {
    return type.title.empty() ? short_name(type.name) : std::string{type.title};
}

void Schemas::collect(Type const& type, Use use) {
    if (!is_named(type)) return collect_inside(type, use);
    auto const [at, is_new] = definitions_.try_emplace(schema_name(type), Definition{.type = &type});
    auto& definition = at->second;
    if (definition.type != &type) {
        throw std::logic_error(fmt::format("{} and {} would both be called {} in the schema: rename one with named()",
                                           definition.type->name, type.name, at->first));
    }
    auto& seen = use == Use::reading ? definition.read : definition.written;
    if (!std::exchange(seen, true)) collect_inside(type, use);
}

void Schemas::collect_inside(Type const& type, Use use) {
    if (type.inner != nullptr) collect(*type.inner, use);
    for (auto const& member : type.members) collect(*member.type, use);
}

object Schemas::ref(Type const& type, Use use) {
    collect(type, use);
    return Renderer{prefix_, use}.used(type, no_rule);
}

object Schemas::inlined(Type const& type, Use use) {
    collect_inside(type, use);
    Renderer const renderer{prefix_, use};
    return is_named(type) ? renderer.definition(type) : renderer.used(type, no_rule);
}

object Schemas::definitions() const {
    object all;
    for (auto const& [name, definition] : definitions_) {
        auto const use = definition.read ? Use::reading : Use::writing;
        all[name] = Renderer{prefix_, use}.definition(*definition.type);
    }
    return all;
}

object schema(Type const& type, Use use) {
    Schemas schemas{"#/$defs/"};
    auto const body = schemas.inlined(type, use);
    object whole{{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
    whole.insert(body.begin(), body.end());
    auto definitions = schemas.definitions();
    if (!definitions.empty()) whole["$defs"] = std::move(definitions);
    return whole;
}

}  // namespace buildplan::json
