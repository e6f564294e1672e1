// The router on the tables of the product, and on a table as large as the product will have.
#include "api/router.hpp"

#include <benchmark/benchmark.h>

#include "api/declarations.hpp"
#include "features/route_table.hpp"
#include "fmt/core.h"
#include "net/response.hpp"

namespace buildplan {
namespace {

void find(benchmark::State& state, api::Router const& router, std::string_view method, std::string_view path) {
    for (auto _ : state) {
        auto const match = router.find(method, path);
        benchmark::DoNotOptimize(match);
    }
}

constexpr std::string_view by_id = "/v1/workspaces/0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f";

void router_list(benchmark::State& state) {
    api::Router const router(features::route_tables());
    find(state, router, "GET", "/v1/workspaces");
}
BENCHMARK(router_list);

void router_get_by_id(benchmark::State& state) {
    api::Router const router(features::route_tables());
    find(state, router, "GET", by_id);
}
BENCHMARK(router_get_by_id);

void router_no_such_path(benchmark::State& state) {
    api::Router const router(features::route_tables());
    find(state, router, "GET", "/wp-admin/setup.php");
}
BENCHMARK(router_no_such_path);

void router_path_values(benchmark::State& state) {
    api::Router const router(features::route_tables());
    auto const* entry = router.find("GET", by_id).entry;
    for (auto _ : state) {
        auto const values = api::read_path(*entry, by_id);
        benchmark::DoNotOptimize(values);
    }
}
BENCHMARK(router_path_values);

task<api::Response> answer(api::Shard&, api::Call const&) { co_return api::Response{200}; }

// 676 kinds of things below each of 26 collections: 17,576 rows.
void router_get_of_18000_routes(benchmark::State& state) {
    std::vector<std::string> paths;
    for (char a = 'a'; a <= 'z'; ++a) {
        for (char b = 'a'; b <= 'z'; ++b) {
            for (char c = 'a'; c <= 'z'; ++c)
                paths.push_back(fmt::format("/v1/{0}{0}{0}/{{{1}Id}}/{2}{2}{2}", a, 'x', std::string{b, c}));
        }
    }
    constexpr api::Route like{"GET", "/x", api::open, api::handle<answer>, "Like this", api::returns_nothing()};
    std::vector<api::Route> routes(paths.size(), like);
    for (std::size_t i = 0; i < paths.size(); ++i) routes[i].path = paths[i];
    std::span<api::Route const> const tables[] = {routes};
    api::Router const router(tables);
    find(state, router, "GET", "/v1/nnn/0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f/kqkqkq");
}
BENCHMARK(router_get_of_18000_routes);

}  // namespace
}  // namespace buildplan
