// Counters, gauges and histograms. Each shard has a registry of its own and is the only one that writes to it, so a
// measurement is a plain load and store; a scrape reads all registries from any thread and adds up what has the same
// name and labels. Names and units follow the Prometheus conventions (base units, `_total`, `_seconds`, `_bytes`).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace buildplan::metrics {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Grows only. One writer.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. One writer. Registries are added up, so a gauge is this shard's share.
class Gauge {
public:
    void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
    void add(double n) noexcept { set(value() + n); }
    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

// How often which duration was seen, in seconds; one set of buckets from 0.5 ms to 10 s for all, so that shards and
// routes can be added up. One writer.
class Histogram {
public:
    static constexpr std::array bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0};

    void observe(double seconds) noexcept;
    [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept { return buckets_[i].value(); }
    [[nodiscard]] double sum() const noexcept { return sum_.value(); }

private:
    std::array<Counter, bounds.size() + 1> buckets_;  // not cumulative; the last is above all bounds
    Gauge sum_;
};

// One writer's metrics. References stay valid as long as the registry. Asking again for the same name and labels gives
// the same metric; asking costs a lock and a search, so it is done once, at the start.
class Registry {
public:
    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

private:
    friend std::string exposition(std::span<Registry* const>);
    enum class Kind : std::uint8_t { counter, gauge, histogram };
    struct Entry {
        std::string name, help, labels;
        Kind kind;
        Counter counter;
        Gauge gauge;
        Histogram histogram;
    };
    Entry& entry(std::string_view name, std::string_view help, Labels labels, Kind kind);

    mutable std::mutex mutex_;  // guards the list, never a measurement
    std::deque<Entry> entries_;
};

// All registries, added up, in the Prometheus text format 0.0.4.
std::string exposition(std::span<Registry* const> registries);

}  // namespace buildplan::metrics
