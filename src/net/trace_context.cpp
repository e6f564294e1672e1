#include "net/trace_context.hpp"

#include <algorithm>
#include <span>

#include "core/random.hpp"

namespace buildplan::net {
namespace {

constexpr char digits[] = "0123456789abcdef";

// Lower case only: section 3.2.2.
int nibble(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool is_hex(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return nibble(c) >= 0; });
}

bool all_zero(std::string_view text) noexcept { return text.find_first_not_of('0') == std::string_view::npos; }

template <std::size_t N>
void make_id(std::array<char, N>& id) {
    std::array<std::uint8_t, N / 2> bytes{};
    fill_random(bytes);
    if (std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; })) bytes.back() = 1;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        id[2 * i] = digits[bytes[i] >> 4];
        id[2 * i + 1] = digits[bytes[i] & 15];
    }
}

}  // namespace

std::string TraceContext::traceparent() const {
    std::string text;
    text.reserve(55);
    text += "00-";
    text += trace_id();
    text += '-';
    text += span_id();
    text += '-';
    text += digits[flags >> 4];
    text += digits[flags & 15];
    return text;
}

TraceContext TraceContext::begin() {
    TraceContext context{};
    make_id(context.trace);
    make_id(context.span);
    context.parent.fill('0');
    return context;
}

std::optional<TraceContext> TraceContext::resume(std::string_view text) {
    constexpr std::size_t length = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2
    if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
    auto const version = text.substr(0, 2);
    auto const trace = text.substr(3, 32);
    auto const parent = text.substr(36, 16);
    auto const flags = text.substr(53, 2);
    if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(flags)) return std::nullopt;
    if (version == "ff" || all_zero(trace) || all_zero(parent)) return std::nullopt;
    if (version == "00" ? text.size() != length : text.size() > length && text[length] != '-') return std::nullopt;

    TraceContext context{};
    std::ranges::copy(trace, context.trace.begin());
    std::ranges::copy(parent, context.parent.begin());
    make_id(context.span);
    // Of the flags of level 1 only `sampled` has a meaning, and we set none that we do not know (section 3.2.2.5).
    context.flags = static_cast<std::uint8_t>(nibble(flags[1]) & 1);
    return context;
}

}  // namespace buildplan::net
