#include "core/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace buildplan::metrics {
namespace {

// `name="value",…` with the escapes of the text format.
std::string write(Labels labels) {
    std::string out;
    for (auto const& [name, value] : labels) {
        if (!out.empty()) out += ',';
        out += name;
        out += "=\"";
        for (char const c : value) {
            if (c == '\\' || c == '"') out += '\\';
            if (c == '\n') {
                out += "\\n";
            } else {
                out += c;
            }
        }
        out += '"';
    }
    return out;
}

struct Sum {
    std::string_view help;
    char const* type = "";
    std::map<std::string_view, double> values;  // by labels
    std::map<std::string_view, std::array<double, Histogram::bounds.size() + 2>> histograms;
};

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
    auto to = std::back_inserter(out);
    if (labels.empty()) {
        fmt::format_to(to, "{} {}\n", name, value);
    } else {
        fmt::format_to(to, "{}{{{}}} {}\n", name, labels, value);
    }
}

}  // namespace

void Histogram::observe(double seconds) noexcept {
    auto const at = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
    buckets_[static_cast<std::size_t>(at)].add();
    sum_.add(seconds);
}

Registry::Entry& Registry::entry(std::string_view name, std::string_view help, Labels labels, Kind kind) {
    auto written = write(labels);
    std::lock_guard const lock(mutex_);
    for (auto& known : entries_) {
        if (known.name != name) continue;
        if (known.kind != kind) throw std::logic_error("metric " + std::string(name) + " is of another kind");
        if (known.labels == written) return known;
    }
    auto& made = entries_.emplace_back();
    made.name = name;
    made.help = help;
    made.labels = std::move(written);
    made.kind = kind;
    return made;
}

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
    return entry(name, help, labels, Kind::counter).counter;
}
Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
    return entry(name, help, labels, Kind::gauge).gauge;
}
Histogram& Registry::histogram(std::string_view name, std::string_view help, Labels labels) {
    return entry(name, help, labels, Kind::histogram).histogram;
}

std::string exposition(std::span<Registry* const> registries) {
    std::map<std::string_view, Sum> sums;
    for (auto const* registry : registries) {
        std::lock_guard const lock(registry->mutex_);
        for (auto const& entry : registry->entries_) {
            auto& sum = sums[entry.name];
            if (sum.help.empty()) sum.help = entry.help;
            switch (entry.kind) {
                case Registry::Kind::counter:
                    sum.type = "counter";
                    sum.values[entry.labels] += static_cast<double>(entry.counter.value());
                    break;
                case Registry::Kind::gauge:
                    sum.type = "gauge";
                    sum.values[entry.labels] += entry.gauge.value();
                    break;
                case Registry::Kind::histogram:
                    sum.type = "histogram";
                    auto& cells = sum.histograms[entry.labels];
                    for (std::size_t i = 0; i <= Histogram::bounds.size(); ++i) {
                        cells[i] += static_cast<double>(entry.histogram.bucket(i));
                    }
                    cells.back() += entry.histogram.sum();
            }
        }
    }
    std::string out;
    for (auto const& [name, sum] : sums) {
        fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, sum.help, name, sum.type);
        for (auto const& [labels, value] : sum.values) append_sample(out, name, labels, value);
        for (auto const& [labels, cells] : sum.histograms) {
            double below = 0;
            auto const comma = labels.empty() ? "" : ",";
            for (std::size_t i = 0; i < Histogram::bounds.size(); ++i) {
                below += cells[i];
                append_sample(out, fmt::format("{}_bucket", name),
                              fmt::format("{}{}le=\"{}\"", labels, comma, Histogram::bounds[i]), below);
            }
            below += cells[Histogram::bounds.size()];
            append_sample(out, fmt::format("{}_bucket", name), fmt::format("{}{}le=\"+Inf\"", labels, comma), below);
            append_sample(out, fmt::format("{}_sum", name), labels, cells.back());
            append_sample(out, fmt::format("{}_count", name), labels, below);
        }
    }
    return out;
}

}  // namespace buildplan::metrics
