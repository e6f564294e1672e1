#include "api/router.hpp"

#include <algorithm>
#include <stdexcept>

#include "fmt/core.h"

namespace buildplan::api {

Router::Router(RouteTables tables) : nodes_(1) {
    for (auto const& table : tables) {
        for (auto const& route : table) {
            entries_.push_back({&route, static_cast<std::uint32_t>(entries_.size()), {}, 0});
        }
    }
    for (std::uint32_t number = 0; number < entries_.size(); ++number) insert(number);
}

void Router::insert(std::uint32_t number) {
    auto& entry = entries_[number];
    auto const& route = *entry.route;
    std::uint32_t at = 0;
    auto rest = route.path == "/" ? std::string_view{} : route.path;
    for (std::uint32_t place = 0; !rest.empty(); ++place) {
        auto const segment = parse_segment(take_segment(rest));
        if (!segment.parameter.empty()) {
            entry.parameters[entry.parameter_count++] = {segment.parameter, segment.kind, place};
        }
        at = child(at, segment, route.path);
    }
    auto& node = nodes_[at];
    auto& place = node.routes[static_cast<std::size_t>(route.method)];
    if (place != 0) {
        throw std::logic_error(fmt::format("Two routes are {} {} (the other is {}).", to_text(route.method), route.path,
                                           entries_[place - 1].route->path));
    }
    place = number + 1;
    node.methods.insert(route.method);
}

std::uint32_t Router::child(std::uint32_t node, Segment const& segment, std::string_view path) {
    auto const fresh = static_cast<std::uint32_t>(nodes_.size());
    if (segment.parameter.empty()) {
        auto& literals = nodes_[node].literals;
        auto const found = std::ranges::lower_bound(literals, segment.literal, {}, &Child::literal);
        if (found != literals.end() && found->literal == segment.literal) return found->node;
        literals.insert(found, {segment.literal, fresh});
        nodes_.emplace_back();
        return fresh;
    }
    if (nodes_[node].parameter != 0) {
        if (nodes_[node].kind == segment.kind) return nodes_[node].parameter;
        throw std::logic_error(
            fmt::format("At {} of {} another route has a parameter of another kind.", segment.parameter, path));
    }
    nodes_[node].parameter = fresh;
    nodes_[node].kind = segment.kind;
    nodes_.emplace_back();
    nodes_[fresh].rest = segment.kind == ParameterKind::rest;
    return fresh;
}

// Each node is reached by one way only, so going back to the parameter after a literal that led nowhere visits no node
// twice.
Router::Node const* Router::walk(Node const& node, std::string_view path) const {
    if (path.empty()) return node.methods.empty() ? nullptr : &node;
    auto rest = path;
    auto const segment = take_segment(rest);
    auto const literal = std::ranges::lower_bound(node.literals, segment, {}, &Child::literal);
    if (literal != node.literals.end() && literal->literal == segment) {
        if (auto const* found = walk(nodes_[literal->node], rest)) return found;
    }
    if (node.parameter == 0 || segment.empty()) return nullptr;
    auto const& next = nodes_[node.parameter];
    return next.rest ? &next : walk(next, rest);
}

Router::Node const* Router::end_of(std::string_view path) const {
    if (!path.starts_with('/')) return nullptr;
    return walk(nodes_.front(), path == "/" ? std::string_view{} : path);
}

Match Router::find(std::string_view method, std::string_view path) const {
    auto const* node = end_of(path);
    if (!node) return {};
    auto const wanted = parse_method(method == "HEAD" ? "GET" : method);
    auto const place = wanted ? node->routes[static_cast<std::size_t>(*wanted)] : 0;
    if (place == 0) return {.entry = nullptr, .allowed = node->methods};
    return {.entry = &entries_[place - 1], .allowed = {}};
}

Methods Router::methods(std::string_view path) const {
    auto const* node = end_of(path);
    return node ? node->methods : Methods{};
}

PathValues read_path(RouteEntry const& entry, std::string_view raw_path) {
    PathValues found;
    std::uint32_t place = 0;
    for (std::uint32_t i = 0; i < entry.parameter_count; ++i) {
        auto const& parameter = entry.parameters[i];
        for (; place < parameter.segment && !raw_path.empty(); ++place) take_segment(raw_path);
        if (raw_path.empty()) {
            found.fit = false;
            return found;
        }
        auto rest = raw_path;
        auto const segment = take_segment(rest);
        found.values[i] = parameter.kind == ParameterKind::rest ? raw_path.substr(1) : segment;
        if (!fits(parameter.kind, found.values[i])) found.fit = false;
    }
    return found;
}

}  // namespace buildplan::api
