// Whatever the bytes: decode() answers or throws a Problem of 400 or 422, and what it accepts survives being written
// and read again, unchanged.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "../support/json_example.hpp"
#include "core/json/utf8.hpp"
#include "core/problem.hpp"

namespace {

using buildplan::example::Everything;
namespace json = buildplan::json;

void require(bool holds) {
    if (!holds) std::abort();
}

void check_refusal(buildplan::Problem const& problem) {
    require(problem.status == 400 || problem.status == 422);
    require(problem.status == 400 || (!problem.errors.empty() && problem.errors.size() <= json::Limits{}.errors));
    require(json::utf8::code_points(problem.detail).has_value());
    for (auto const& error : problem.errors) {
        require(json::utf8::code_points(error.pointer).has_value());
        require(error.pointer.empty() || error.pointer.front() == '/');
        require(!error.detail.empty());
    }
}

void check_round_trip(Everything first) {
    auto const written = json::encode(first);
    require(json::utf8::code_points(written).has_value());
    auto const second = json::decode<Everything>(written);  // a Problem from here ends the run
    // Times are written to the millisecond; free JSON may change 100.0 into 100.
    first.created_at = std::chrono::floor<std::chrono::milliseconds>(first.created_at);
    first.extra = second.extra;
    first.settings = second.settings;
    require(first == second);
    require(json::encode(second) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    std::optional<Everything> accepted;
    try {
        accepted = json::decode<Everything>(text);
    } catch (buildplan::Problem const& problem) {
        check_refusal(problem);
    }
    if (accepted) check_round_trip(std::move(*accepted));
    return 0;
}
