// TraceContext: where a request stands in a distributed trace (W3C Trace Context, level 1). The caller's trace is
// continued when its `traceparent` is well-formed, else a new one is begun; either way the request gets a span id of
// its own. Nothing here throws.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan::net {

struct TraceContext {
    std::array<char, 32> trace;   // lower-case hex, never all zeros
    std::array<char, 16> span;    // ours
    std::array<char, 16> parent;  // the caller's span; all '0' when the trace begins here
    std::uint8_t flags = 0;       // bit 0: sampled

    [[nodiscard]] std::string_view trace_id() const noexcept { return {trace.data(), trace.size()}; }
    [[nodiscard]] std::string_view span_id() const noexcept { return {span.data(), span.size()}; }
    [[nodiscard]] std::string_view parent_id() const noexcept { return {parent.data(), parent.size()}; }
    [[nodiscard]] bool sampled() const noexcept { return (flags & 1) != 0; }

    // What goes out with jobs, webhooks and calls to others: "00-<trace>-<our span>-<flags>".
    [[nodiscard]] std::string traceparent() const;

    // A new trace, not sampled.
    static TraceContext begin();
    // The caller's trace with a new span of ours. Nothing when `traceparent` does not fit section 3.2.2: a longer value
    // of a later version is read as far as version 00 goes; version ff, upper case and all-zero ids are refused.
    static std::optional<TraceContext> resume(std::string_view traceparent);
};

}  // namespace buildplan::net
