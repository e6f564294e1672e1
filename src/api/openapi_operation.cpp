#include "api/openapi_operation.hpp"

#include <boost/json/array.hpp>

#include "api/openapi.hpp"
#include "api/openapi_problems.hpp"
#include "core/json/parse.hpp"
#include "core/problem.hpp"
#include "fmt/core.h"

namespace buildplan::api {
namespace {

namespace dom = boost::json;

dom::object reference(std::string_view section, std::string_view name) {
    return {{"$ref", fmt::format("#/components/{}/{}", section, name)}};
}

dom::object path_schema(ParameterKind kind) {
    switch (kind) {
        case ParameterKind::uuid:
            return {{"type", "string"}, {"format", "uuid"}};
        case ParameterKind::slug:
            return {{"type", "string"}, {"pattern", "^[a-z0-9]+(-[a-z0-9]+)*$"}, {"maxLength", 63}};
        case ParameterKind::number:
            return {{"type", "integer"}, {"format", "int64"}, {"minimum", 0}};
        case ParameterKind::text:
            return {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}};
        case ParameterKind::rest:
            return {{"type", "string"}, {"minLength", 1}};
    }
    return {};
}

void add_path_parameters(Route const& route, dom::array& parameters) {
    if (route.path == "/") return;
    for (auto rest = route.path; !rest.empty();) {
        auto const segment = parse_segment(take_segment(rest));
        if (segment.parameter.empty()) continue;
        parameters.push_back(dom::object{
            {"name", segment.parameter}, {"in", "path"}, {"required", true}, {"schema", path_schema(segment.kind)}});
    }
}

void add_query_parameters(Route const& route, json::Schemas& schemas, dom::array& parameters) {
    if (route.query) {
        auto const& type = route.query.type();
        auto const schema = schemas.inlined(type, json::Use::reading);
        auto const& properties = schema.at("properties").get_object();
        for (auto const& member : type.members) {
            auto property = properties.at(member.name()).as_object();
            dom::object parameter{{"name", member.name()}, {"in", "query"}};
            if (member.required) parameter["required"] = true;
            if (auto const* description = property.if_contains("description")) {
                parameter["description"] = *description;
                property.erase("description");
            }
            parameter["schema"] = std::move(property);
            parameters.push_back(std::move(parameter));
        }
    }
    if (route.sorts.empty()) return;
    dom::array names;
    for (auto const sort : route.sorts) names.emplace_back(sort);
    parameters.push_back(dom::object{
        {"name", "sort"},
        {"in", "query"},
        {"description", "What the list is sorted by; `-` for descending."},
        {"schema", dom::object{{"type", "string"}, {"enum", std::move(names)}, {"default", route.sorts.front()}}}});
    parameters.push_back(reference("parameters", "Limit"));
    parameters.push_back(reference("parameters", "Cursor"));
}

void add_header_parameters(Route const& route, dom::array& parameters) {
    if (route.takes_idempotency_key()) parameters.push_back(reference("parameters", "IdempotencyKey"));
    if (route.takes_if_none_match()) parameters.push_back(reference("parameters", "IfNoneMatch"));
    if (route.match_required) {
        parameters.push_back(reference("parameters", "IfMatchRequired"));
    } else if (route.takes_if_match()) {
        parameters.push_back(reference("parameters", "IfMatch"));
    }
}

dom::value example_of(Route const& route, std::string_view text) {
    try {
        return json::parse(text);
    } catch (Problem const& problem) {
        throw std::logic_error(
            fmt::format("An example of {} {}: {}", to_text(route.method), route.path, problem.detail));
    }
}

dom::object request_body(Route const& route, json::Schemas& schemas) {
    dom::object content{{"schema", schemas.ref(route.body.type(), json::Use::reading)}};
    if (!route.body_example.empty()) content["example"] = example_of(route, route.body_example);
    auto const media = route.method == Method::patch ? "application/merge-patch+json" : "application/json";
    return {{"required", true}, {"content", dom::object{{media, std::move(content)}}}};
}

dom::object answer_headers(Route const& route, Answer const& answer) {
    dom::object headers;
    bool const good = answer.status < 400;
    if (good && route.versioned && answer.shape) headers["ETag"] = reference("headers", "ETag");
    if (answer.status == 201 || answer.status == 202) headers["Location"] = reference("headers", "Location");
    if (good && route.takes_idempotency_key())
        headers["Idempotent-Replayed"] = reference("headers", "Idempotent-Replayed");
    if (route.access.kind != Access::Kind::anybody && !route.unlimited) {
        for (auto const name : {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}) {
            headers[name] = reference("headers", name);
        }
    }
    for (auto const& header : route.headers) {
        headers[header.name] =
            dom::object{{"description", header.description}, {"schema", dom::object{{"type", "string"}}}};
    }
    return headers;
}

dom::object answer_of(Route const& route, Answer const& answer, json::Schemas& schemas) {
    dom::object response{
        {"description", answer.description.empty() ? status_phrase(answer.status) : answer.description}};
    if (auto headers = answer_headers(route, answer); !headers.empty()) response["headers"] = std::move(headers);
    if (answer.media.empty()) return response;
    dom::object content;
    if (answer.shape) {
        content["schema"] = schemas.ref(answer.shape.type(), json::Use::writing);
    } else {
        content["schema"] = dom::object{{"type", answer.media == "application/json" ? "object" : "string"}};
    }
    if (!answer.example.empty()) content["example"] = example_of(route, answer.example);
    response["content"] = dom::object{{answer.media, std::move(content)}};
    return response;
}

std::string description_of(Route const& route) {
    std::string text{route.description};
    auto const add = [&](std::string const& more) { text += text.empty() ? more : "\n\n" + more; };
    if (route.access.kind == Access::Kind::permission)
        add(fmt::format("Needs the permission `{}`.", route.access.permission));
    if (route.access.kind == Access::Kind::installation) add("For owners of the installation only.");
    if (!route.deprecated_since.empty()) add(fmt::format("Deprecated since {}.", route.deprecated_since));
    if (!route.sunset.empty()) add(fmt::format("Goes away on {}.", route.sunset));
    return text;
}

dom::array security_of(Route const& route) {
    if (route.access.kind == Access::Kind::anybody) return {};
    dom::array roles;
    if (!route.access.permission.empty()) roles.emplace_back(route.access.permission);
    return {dom::object{{"bearer", std::move(roles)}}};
}

}  // namespace

std::string openapi_path(std::string_view pattern) {
    if (pattern == "/") return "/";
    std::string path;
    while (!pattern.empty()) {
        auto const segment = parse_segment(take_segment(pattern));
        path +=
            segment.parameter.empty() ? fmt::format("/{}", segment.literal) : fmt::format("/{{{}}}", segment.parameter);
    }
    return path;
}

dom::object operation(Route const& route, json::Schemas& schemas, dom::object& shared_responses) {
    dom::object made{{"operationId", operation_id(route.handler)}, {"summary", route.summary}};
    if (auto const text = description_of(route); !text.empty()) made["description"] = text;
    made["tags"] = dom::array{route.tag};
    if (!route.deprecated_since.empty()) made["deprecated"] = true;
    made["security"] = security_of(route);
    dom::array parameters;
    add_path_parameters(route, parameters);
    add_query_parameters(route, schemas, parameters);
    add_header_parameters(route, parameters);
    if (!parameters.empty()) made["parameters"] = std::move(parameters);
    if (route.body) made["requestBody"] = request_body(route, schemas);
    dom::object responses;
    for (auto const& answer : route.answers)
        responses[std::to_string(answer.status)] = answer_of(route, answer, schemas);
    if (route.takes_if_none_match())
        responses["304"] = dom::object{{"description", "Not changed since the version that If-None-Match names."}};
    for (auto& [status, response] : problem_responses(route, shared_responses)) {
        if (!responses.contains(status)) responses[status] = std::move(response);
    }
    made["responses"] = std::move(responses);
    return made;
}

dom::object shared_parameters() {
    auto const header = [](std::string_view name, std::string_view description, bool required) {
        dom::object parameter{{"name", name}, {"in", "header"}, {"description", description}};
        if (required) parameter["required"] = true;
        parameter["schema"] = dom::object{{"type", "string"}};
        return parameter;
    };
    auto key =
        header("Idempotency-Key",
               "Chosen by you, 1 to 255 visible ASCII characters, new for each thing to be done. A repeat with the "
               "same key within 24 hours does nothing again and gets the first one's answer.",
               false);
    key["schema"].as_object()["minLength"] = 1;
    key["schema"].as_object()["maxLength"] = 255;
    return {
        {"IdempotencyKey", std::move(key)},
        {"IfMatch",
         header("If-Match", "The ETag that you saw: changes nothing when the resource is another version by now.",
                false)},
        {"IfMatchRequired",
         header("If-Match", "The ETag that you saw: changes nothing when the resource is another version by now.",
                true)},
        {"IfNoneMatch", header("If-None-Match", "The ETag that you have: 304 when it is still current.", false)},
        {"Limit",
         dom::object{{"name", "limit"},
                     {"in", "query"},
                     {"description", "How many items at most."},
                     {"schema", dom::object{{"type", "integer"}, {"minimum", 1}, {"maximum", 100}, {"default", 20}}}}},
        {"Cursor", dom::object{{"name", "cursor"},
                               {"in", "query"},
                               {"description", "`nextCursor` of the page before, with the same filters and sort."},
                               {"schema", dom::object{{"type", "string"}, {"maxLength", 2048}}}}},
    };
}

}  // namespace buildplan::api
