// Router: which row answers a method and a path. Built once from the tables, then never changed, so all shards share
// one. A path is walked segment by segment through a tree, literal children before the parameter: a step for each
// segment and a few comparisons, however many routes there are. "/v1/workspaces/" is not "/v1/workspaces". Throws
// std::logic_error when it is built from tables that contradict each other.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/route.hpp"

namespace buildplan::api {

// A row, its number, by which each shard keeps the row's metrics, and its parameters in the order of the path.
struct RouteEntry {
    struct Parameter {
        std::string_view name;
        ParameterKind kind;
        std::uint32_t segment;  // its place in the path, from 0
    };
    Route const* route;
    std::uint32_t number;
    std::array<Parameter, max_parameters> parameters;
    std::uint32_t parameter_count = 0;
};

// What stands in a path for each parameter of the row that it matched, as it was sent; looks into the path.
struct PathValues {
    std::array<std::string_view, max_parameters> values;
    // Every value can be what its parameter is. If not, nothing can be there: a 404, after authentication.
    bool fit = true;
};
PathValues read_path(RouteEntry const& entry, std::string_view raw_path);

struct Match {
    RouteEntry const* entry = nullptr;
    // Without an entry: what the path can be asked for instead; empty for a 404.
    Methods allowed;
};

class Router {
public:
    explicit Router(RouteTables tables);

    Router(Router const&) = delete;  // matches point into it
    Router& operator=(Router const&) = delete;

    // HEAD finds the GET. `path` is without its query, its escapes resolved except those of slashes.
    [[nodiscard]] Match find(std::string_view method, std::string_view path) const;
    // For OPTIONS.
    [[nodiscard]] Methods methods(std::string_view path) const;

    [[nodiscard]] std::vector<RouteEntry> const& entries() const noexcept { return entries_; }

private:
    struct Child {
        std::string_view literal;
        std::uint32_t node;
    };
    struct Node {
        std::vector<Child> literals;  // sorted
        std::uint32_t parameter = 0;  // 0: none
        ParameterKind kind = ParameterKind::text;
        bool rest = false;                                 // this is where a {…:rest} ends
        std::array<std::uint32_t, method_count> routes{};  // place in entries_ + 1; 0: none
        Methods methods;
    };

    void insert(std::uint32_t number);
    std::uint32_t child(std::uint32_t node, Segment const& segment, std::string_view path);
    // The node where `path` ends.
    [[nodiscard]] Node const* walk(Node const& node, std::string_view path) const;
    [[nodiscard]] Node const* end_of(std::string_view path) const;

    std::vector<Node> nodes_;
    std::vector<RouteEntry> entries_;
};

}  // namespace buildplan::api
