#include "api/openapi.hpp"

#include <boost/json/array.hpp>
#include <set>
#include <stdexcept>

#include "api/openapi_operation.hpp"
#include "api/openapi_problems.hpp"
#include "core/json/schema.hpp"
#include "fmt/core.h"

namespace buildplan::api {
namespace {

namespace dom = boost::json;

constexpr std::string_view introduction =
    "Requests become plans, plans become work, and work becomes proof.\n\n"
    "Every answer of this API is JSON unless it says otherwise. Times are RFC 3339 in UTC, ids are UUIDs. Fields that "
    "you do not know may appear in answers at any time; ignore them. What goes wrong is told as a problem (RFC 9457) "
    "with a stable `code`.\n\n"
    "Lists take `limit` and `cursor` and answer `items` and `nextCursor`. Every POST under /v1 takes an "
    "`Idempotency-Key`. "
    "Resources carry an `ETag`; `If-Match` guards changes. PATCH is JSON Merge Patch (RFC 7396).";

dom::object text_header(std::string_view description) {
    return {{"description", description}, {"schema", dom::object{{"type", "string"}}}};
}
dom::object number_header(std::string_view description) {
    return {{"description", description}, {"schema", dom::object{{"type", "integer"}}}};
}

dom::object all_headers() {
    return {
        {"ETag", text_header("The version of the resource; give it back in If-Match or If-None-Match.")},
        {"Location", text_header("Where the resource is.")},
        {"Idempotent-Replayed",
         text_header("`true` where the answer is the kept one of an earlier request with the same key.")},
        {"RateLimit-Limit", number_header("How many calls the organization has in a window.")},
        {"RateLimit-Remaining", number_header("How many are left.")},
        {"RateLimit-Reset", number_header("Seconds until the window ends.")},
        {"Retry-After", number_header("Seconds to wait before trying again.")},
        {"WWW-Authenticate", text_header("How to authenticate (RFC 6750).")},
    };
}

// Only what something points at.
dom::object used_only(dom::object const& all, std::string const& section, std::string const& document) {
    dom::object used;
    for (auto const& [name, value] : all) {
        if (document.find(fmt::format("\"#/components/{}/{}\"", section, std::string_view(name))) !=
            std::string::npos) {
            used[name] = value;
        }
    }
    return used;
}

class Document {
public:
    void add(Route const& route) {
        auto const id = operation_id(route.handler);
        if (!ids_.insert(id).second) throw std::logic_error(fmt::format("Two routes have the handler {}", id));
        add_tag(route);
        auto& path = paths_[openapi_path(route.path)];
        if (!path.is_object()) path.emplace_object();
        std::string method;
        for (char const c : to_text(route.method)) method += static_cast<char>(c - 'A' + 'a');
        path.get_object()[method] = operation(route, schemas_, shared_responses_);
    }

    dom::object finish(std::string_view version) {
        auto const problem = schemas_.ref<ProblemDocument>(json::Use::writing);
        dom::object components{{"schemas", schemas_.definitions()}, {"responses", std::move(shared_responses_)}};
        auto const text = dom::serialize(paths_) + dom::serialize(components);
        components["parameters"] = used_only(shared_parameters(), "parameters", text);
        components["headers"] = used_only(all_headers(), "headers", text);
        components["securitySchemes"] = dom::object{
            {"bearer", dom::object{{"type", "http"},
                                   {"scheme", "bearer"},
                                   {"description", "An API key (`bp_svc_…`, `bp_pat_…`) or an access token."}}}};
        return {{"openapi", "3.1.0"},
                {"info", dom::object{{"title", "BuildPlan"}, {"version", version}, {"description", introduction}}},
                {"servers", dom::array{dom::object{{"url", "/"}, {"description", "This installation"}}}},
                {"tags", std::move(tags_)},
                {"paths", std::move(paths_)},
                {"components", std::move(components)}};
    }

private:
    void add_tag(Route const& route) {
        for (auto const& tag : tags_) {
            if (tag.at("name").as_string() != route.tag) continue;
            if (tag.at("description").as_string() == route.tag_description) return;
            throw std::logic_error(fmt::format("The tag {} is described in two ways", route.tag));
        }
        tags_.push_back(dom::object{{"name", route.tag}, {"description", route.tag_description}});
    }

    json::Schemas schemas_;
    dom::object paths_;
    dom::object shared_responses_;
    dom::array tags_;
    std::set<std::string> ids_;
};

void write_pretty(std::string& out, dom::value const& value, std::size_t depth) {
    auto const indent = [&](std::size_t steps) { out.append(steps * 2, ' '); };
    if (value.is_object() && !value.get_object().empty()) {
        out += "{\n";
        bool first = true;
        for (auto const& [name, member] : value.get_object()) {
            if (!first) out += ",\n";
            first = false;
            indent(depth + 1);
            out += dom::serialize(dom::string(name)) + ": ";
            write_pretty(out, member, depth + 1);
        }
        out += '\n';
        indent(depth);
        out += '}';
    } else if (value.is_array() && !value.get_array().empty()) {
        out += "[\n";
        bool first = true;
        for (auto const& item : value.get_array()) {
            if (!first) out += ",\n";
            first = false;
            indent(depth + 1);
            write_pretty(out, item, depth + 1);
        }
        out += '\n';
        indent(depth);
        out += ']';
    } else {
        out += dom::serialize(value);
    }
}

}  // namespace

std::string operation_id(Handler const& handler) {
    std::string id;
    json::recase(handler.function, json::Casing::camel, [&](char c) { id += c; });
    return id;
}

dom::object openapi_document(RouteTables tables, std::string_view version) {
    Document document;
    for (auto const& table : tables) {
        for (auto const& route : table) document.add(route);
    }
    return document.finish(version);
}

std::string pretty(dom::value const& value) {
    std::string out;
    write_pretty(out, value, 0);
    return out + '\n';
}

}  // namespace buildplan::api
