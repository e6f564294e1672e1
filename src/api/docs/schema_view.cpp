#include "api/docs/schema_view.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/docs/markup.hpp"
#include "fmt/core.h"

namespace buildplan::api::docs {
namespace {

namespace dom = boost::json;

std::string text_of(dom::object const& schema, std::string_view name) {
    auto const* value = schema.if_contains(name);
    if (!value) return {};
    return value->is_string() ? std::string(value->get_string()) : dom::serialize(*value);
}

// "string", or "string or null" of a list of types.
std::string type_name(dom::object const& schema) {
    auto const* type = schema.if_contains("type");
    if (!type) return "any";
    if (type->is_string()) return std::string(type->get_string());
    std::string names;
    for (auto const& name : type->as_array()) names += (names.empty() ? "" : " or ") + std::string(name.as_string());
    return names;
}

bool has_type(dom::object const& schema, std::string_view wanted) {
    auto const* type = schema.if_contains("type");
    if (!type) return false;
    if (type->is_string()) return type->get_string() == wanted;
    for (auto const& name : type->as_array()) {
        if (name.as_string() == wanted) return true;
    }
    return false;
}

std::string range(dom::object const& schema, char const* low, char const* high, std::string_view unit) {
    auto const from = text_of(schema, low);
    auto const to = text_of(schema, high);
    if (from.empty() && to.empty()) return {};
    if (to.empty()) return fmt::format(", at least {}{}", from, unit);
    if (from.empty()) return fmt::format(", at most {}{}", to, unit);
    return fmt::format(", {} to {}{}", from, to, unit);
}

}  // namespace

std::string referenced_schema(dom::object const& schema) {
    constexpr std::string_view prefix = "#/components/schemas/";
    auto const target = text_of(schema, "$ref");
    return target.starts_with(prefix) ? target.substr(prefix.size()) : std::string{};
}

std::string type_of_schema(dom::object const& schema) {
    if (auto const name = referenced_schema(schema); !name.empty()) {
        return fmt::format(R"(<a href="#schema-{}">{}</a>)", anchor(name), escape(name));
    }
    if (auto const* any = schema.if_contains("anyOf")) {
        std::string all;
        for (auto const& one : any->as_array()) all += (all.empty() ? "" : " or ") + type_of_schema(one.as_object());
        return all;
    }
    if (has_type(schema, "array")) {
        auto const* items = schema.if_contains("items");
        return "list of " + (items ? type_of_schema(items->as_object()) : "any") +
               range(schema, "minItems", "maxItems", " items");
    }
    auto text = escape(type_name(schema));
    if (auto const format = text_of(schema, "format"); !format.empty()) text += fmt::format(" ({})", escape(format));
    text += range(schema, "minLength", "maxLength", " characters") + range(schema, "minimum", "maximum", "");
    if (auto const* names = schema.if_contains("enum")) {
        text += ": ";
        bool first = true;
        for (auto const& name : names->as_array()) {
            text += fmt::format("{}<code>{}</code>", first ? "" : ", ", escape(std::string(name.as_string())));
            first = false;
        }
    }
    if (auto const fallback = text_of(schema, "default"); !fallback.empty()) {
        text += fmt::format("; default <code>{}</code>", escape(fallback));
    }
    return text;
}

std::string fields_table(dom::object const& schema) {
    auto const* properties = schema.if_contains("properties");
    if (!properties) return {};
    auto const required = schema.contains("required") ? schema.at("required").as_array() : dom::array{};
    std::string out =
        "<div class=\"wide\"><table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>";
    for (auto const& [name, value] : properties->as_object()) {
        bool needed = false;
        for (auto const& each : required) needed = needed || each.as_string() == name;
        auto const& property = value.as_object();
        out += fmt::format("<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td></tr>", escape(std::string(name)),
                           needed ? "" : " <small>optional</small>", type_of_schema(property),
                           rich(text_of(property, "description")));
    }
    return out + "</tbody></table></div>";
}

dom::value example_of_schema(dom::object const& schema, dom::object const& definitions, unsigned depth) {
    if (depth > 8) return nullptr;  // a schema that contains itself
    if (auto const name = referenced_schema(schema); !name.empty()) {
        return example_of_schema(definitions.at(name).as_object(), definitions, depth + 1);
    }
    if (auto const* any = schema.if_contains("anyOf")) {
        return example_of_schema(any->as_array().front().as_object(), definitions, depth + 1);
    }
    if (auto const* names = schema.if_contains("enum")) return names->as_array().front();
    if (auto const* fallback = schema.if_contains("default")) return *fallback;
    if (has_type(schema, "object")) {
        dom::object out;
        if (auto const* properties = schema.if_contains("properties")) {
            for (auto const& [name, value] : properties->as_object()) {
                out[name] = example_of_schema(value.as_object(), definitions, depth + 1);
            }
        }
        return out;
    }
    if (has_type(schema, "array")) {
        return dom::array{example_of_schema(schema.at("items").as_object(), definitions, depth + 1)};
    }
    if (has_type(schema, "boolean")) return true;
    if (has_type(schema, "integer") || has_type(schema, "number")) {
        auto const* low = schema.if_contains("minimum");
        return low ? *low : dom::value(1);
    }
    auto const format = text_of(schema, "format");
    if (format == "uuid") return "0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f";
    if (format == "date-time") return "2026-11-23T17:20:46.123Z";
    if (format == "email") return "ada@example.com";
    if (format == "uri") return "https://example.com/";
    return has_type(schema, "string") ? dom::value("text") : dom::value(nullptr);
}

}  // namespace buildplan::api::docs
