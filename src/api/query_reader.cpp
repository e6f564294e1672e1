#include "api/query_reader.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "core/json/decode.hpp"
#include "core/problem.hpp"

namespace buildplan::api {
namespace {

namespace dom = boost::json;

json::Type const& without_optional(json::Type const& type) {
    auto const* at = &type;
    while (at->kind == json::Kind::optional) at = at->inner;
    return *at;
}

template <class Number>
dom::value number_or_text(std::string_view text) {
    Number number{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return dom::string(text);
    return number;
}

// What does not look like the type stays text, and the codec says what it should have been.
dom::value to_json(std::string_view text, json::Type const& type) {
    switch (without_optional(type).kind) {
        case json::Kind::boolean:
            if (text == "true") return true;
            if (text == "false") return false;
            return dom::string(text);
        case json::Kind::integer:
            return number_or_text<std::int64_t>(text);
        case json::Kind::number:
            return number_or_text<double>(text);
        default:
            return dom::string(text);
    }
}

bool is_paging(std::string_view name) { return name == "limit" || name == "cursor" || name == "sort"; }

FieldError at_parameter(std::string_view name, std::string_view code, std::string_view detail) {
    return {"?" + std::string(name), std::string(code), std::string(detail)};
}

}  // namespace

void decode_query(std::vector<net::QueryParameter> const& query, Route const& route, json::Type const& type,
                  void* out) {
    dom::object document;
    for (auto const& parameter : query) {
        if (!route.sorts.empty() && is_paging(parameter.name)) continue;
        json::Member const* member = nullptr;
        for (auto const& candidate : type.members) {
            if (candidate.name() == parameter.name) member = &candidate;
        }
        bool const list = member && without_optional(*member->type).kind == json::Kind::list;
        if (list) {
            auto& items = document[parameter.name];
            if (!items.is_array()) items.emplace_array();
            items.get_array().push_back(to_json(parameter.value, *without_optional(*member->type).inner));
        } else if (document.contains(parameter.name)) {
            throw problems::invalid({at_parameter(parameter.name, "repeated", "Given once.")});
        } else {
            document[parameter.name] =
                member ? to_json(parameter.value, *member->type) : dom::value(dom::string(parameter.value));
        }
    }
    try {
        json::detail::decode_value(dom::value(std::move(document)), type, out, {}, {});
    } catch (Problem& problem) {
        for (auto& error : problem.errors) {
            if (error.pointer.starts_with('/')) error.pointer.front() = '?';
        }
        throw;
    }
}

std::vector<FieldError> misfits_of_query(std::vector<net::QueryParameter> const& query, Route const& route) {
    std::vector<FieldError> errors;
    for (auto parameter = query.begin(); parameter != query.end(); ++parameter) {
        auto const& name = parameter->name;
        bool const paging = !route.sorts.empty() && is_paging(name);
        if (!paging) {
            if (!route.query) errors.push_back(at_parameter(name, "unknown", "There is no such parameter."));
        } else if (std::ranges::count(query.begin(), parameter, name, &net::QueryParameter::name) > 0) {
            errors.push_back(at_parameter(name, "repeated", "Given once."));
        } else if (name == "sort" && std::ranges::find(route.sorts, parameter->value) == route.sorts.end()) {
            errors.push_back(
                at_parameter(name, "not-allowed", fmt::format("One of {}.", fmt::join(route.sorts, ", "))));
        }
    }
    return errors;
}

}  // namespace buildplan::api
