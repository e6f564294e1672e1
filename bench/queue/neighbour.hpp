// What bench/queue/neighbour.cpp has seen of the others' jobs, and how it is told: each round's figures with and
// without the neighbour, their medians, and the median of their ratios.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "queue/fair/slots.hpp"

namespace buildplan::queue {

inline constexpr std::chrono::milliseconds job_takes{2};

struct Sizes {
    unsigned rounds = 5, seconds = 10, jobs = 100'000, others = 200, burst = 50, concurrency = 16;
};

// What the worker has seen. Its thread's alone until it has stopped, but for the counts.
struct Begun {
    std::int64_t added = 0;
    double waited_ms = 0;
};
struct Seen {
    std::vector<Begun> others, bursts;
    std::atomic<std::size_t> begun = 0;  // of these
    std::atomic<std::size_t> neighbours = 0;
};

// From when to when jobs were added.
struct Window {
    std::int64_t from = 0, to = 0;
};
struct Round {
    Window without, with;
    double neighbours_rate = 0;
};

inline double quantile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    auto const rank = static_cast<std::size_t>(part * static_cast<double>(values.size()));
    return values[std::min(rank, values.size() - 1)];
}

// In ms, of one window.
struct Figures {
    double median = 0, p99 = 0, first = 0, last = 0;
};
inline Figures figures_of(Seen const& seen, Window window) {
    auto const within = [&](Begun const& each) { return each.added >= window.from && each.added <= window.to; };
    std::vector<double> others, first, last;
    for (auto const& each : seen.others) {
        if (within(each)) others.push_back(each.waited_ms);
    }
    std::map<std::int64_t, std::vector<double>> bursts;  // all jobs of a burst were added at once
    for (auto const& each : seen.bursts) {
        if (within(each)) bursts[each.added].push_back(each.waited_ms);
    }
    for (auto const& [added, waits] : bursts) {
        first.push_back(std::ranges::min(waits));
        last.push_back(std::ranges::max(waits));
    }
    return {quantile(others, 0.5), quantile(others, 0.99), quantile(first, 0.5), quantile(last, 0.5)};
}

struct Compared {
    double without = 0, with = 0, ratio = 0;
};
inline Compared compare(std::vector<std::pair<Figures, Figures>> const& rounds, double Figures::* which) {
    std::vector<double> without, with, ratios;
    for (auto const& [a, b] : rounds) {
        without.push_back(a.*which);
        with.push_back(b.*which);
        ratios.push_back(a.*which > 0 ? b.*which / (a.*which) : 0);
    }
    return {quantile(without, 0.5), quantile(with, 0.5), quantile(ratios, 0.5)};
}
inline void print(std::string_view what, Compared const& of, std::string_view note = "") {
    fmt::print("{:<34}{:>9.1f} ms{:>9.1f} ms{:>8.2f}x  {}\n", what, of.without, of.with, of.ratio, note);
}

// On a machine that has no time for us jobs keep their slots many times as long as they take, and the neighbour never
// gets to press: nothing is decided then.
inline std::string_view verdict(bool met, double run_ms) {
    if (run_ms > 4.0 * static_cast<double>(job_takes.count())) return "undecided";
    return met ? "met" : "missed";
}

// `run_ms`: how long a job of a burst keeps a slot.
inline void report(Seen const& seen, std::vector<Round> const& rounds, double run_ms, Sizes sizes) {
    using enum fair::SlotClass;
    // As Workers shares them out: a quarter is the other lane's.
    auto const in_lane = std::max(sizes.concurrency - std::max(sizes.concurrency / 4, 1U), 1U);
    std::array const tiers{fair::Tier::free, fair::Tier::pro, fair::Tier::enterprise};
    auto const slots = fair::share_out(in_lane, tiers);
    auto const own = std::max<std::size_t>(slots[enterprise], 1);
    auto const guaranteed = sizes.burst * run_ms / static_cast<double>(own);
    std::vector<std::pair<Figures, Figures>> figures;
    std::vector<double> rates;
    for (auto const& round : rounds) {
        figures.emplace_back(figures_of(seen, round.without), figures_of(seen, round.with));
        rates.push_back(round.neighbours_rate);
    }
    fmt::print("{} jobs of one FREE organization beside {} others and an ENTERPRISE one.\n", sizes.jobs, sizes.others);
    fmt::print("One process, {} slots in the lane: {} shared, {} PRO, {} ENTERPRISE. Medians of {} rounds of {} s.\n\n",
               slots.sum(), slots[shared], slots[pro], slots[enterprise], rounds.size(), sizes.seconds);
    fmt::print("{:<34}{:>12}{:>12}{:>9}\n", "until a job begins", "without", "with", "ratio");
    print("the others, median", compare(figures, &Figures::median));
    auto const p99 = compare(figures, &Figures::p99);
    print("the others, p99", p99, fmt::format("{}: under 1.5x", verdict(p99.ratio < 1.5, run_ms)));
    print("ENTERPRISE, first of a burst", compare(figures, &Figures::first));
    auto const last = compare(figures, &Figures::last);
    print("ENTERPRISE, last of a burst", last,
          fmt::format("{}: {:.1f} ms", verdict(last.with <= guaranteed, run_ms), guaranteed));
    fmt::print("\nGuaranteed are {:.1f} ms: {} jobs, {:.2f} ms each as measured, on its {} own slots alone.\n",
               guaranteed, sizes.burst, run_ms, own);
    fmt::print("The neighbour has {:.0f} jobs a second done meanwhile.\n", quantile(rates, 0.5));
    if (verdict(true, run_ms) == "undecided")
        fmt::print("The machine is too busy with other things to decide anything.\n");
}

}  // namespace buildplan::queue
