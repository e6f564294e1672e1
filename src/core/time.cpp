#include "core/time.hpp"

namespace buildplan {
namespace {

void put(char* out, int value, int width) noexcept {
    for (int i = width - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

// Reads exactly `width` digits at `at` and moves past them; -1 when they are not there.
int take(std::string_view text, std::size_t& at, int width) noexcept {
    int value = 0;
    for (int i = 0; i < width; ++i, ++at) {
        if (at >= text.size() || text[at] < '0' || text[at] > '9') return -1;
        value = value * 10 + (text[at] - '0');
    }
    return value;
}

bool skip(std::string_view text, std::size_t& at, char a, char b) noexcept {
    if (at >= text.size() || (text[at] != a && text[at] != b)) return false;
    ++at;
    return true;
}

}  // namespace

void append_rfc3339(std::string& out, Timestamp time) {
    auto const day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day const date{day};
    auto const ms = static_cast<int>(std::chrono::floor<std::chrono::milliseconds>(time - day).count());
    char text[] = "0000-00-00T00:00:00.000Z";
    put(text, static_cast<int>(date.year()), 4);
    put(text + 5, static_cast<int>(static_cast<unsigned>(date.month())), 2);
    put(text + 8, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    put(text + 11, ms / 3'600'000, 2);
    put(text + 14, ms / 60'000 % 60, 2);
    put(text + 17, ms / 1000 % 60, 2);
    put(text + 20, ms % 1000, 3);
    out.append(text, sizeof text - 1);
}

std::string to_rfc3339(Timestamp time) {
    std::string out;
    append_rfc3339(out, time);
    return out;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) noexcept {
    using namespace std::chrono;
    std::size_t at = 0;
    int const y = take(text, at, 4);
    if (y < 1 || !skip(text, at, '-', '-')) return std::nullopt;
    int const mo = take(text, at, 2);
    if (mo < 1 || !skip(text, at, '-', '-')) return std::nullopt;
    int const d = take(text, at, 2);
    if (d < 1 || !skip(text, at, 'T', 't')) return std::nullopt;
    int const h = take(text, at, 2);
    if (h < 0 || h > 23 || !skip(text, at, ':', ':')) return std::nullopt;
    int const mi = take(text, at, 2);
    if (mi < 0 || mi > 59 || !skip(text, at, ':', ':')) return std::nullopt;
    int const s = take(text, at, 2);
    if (s < 0 || s > 60) return std::nullopt;

    year_month_day const date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    if (!date.ok()) return std::nullopt;

    int us = 0;
    if (at < text.size() && text[at] == '.') {
        ++at;
        int n = 0;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++n) {
            if (n < 6) us = us * 10 + (text[at] - '0');
        }
        if (n < 1 || n > 9) return std::nullopt;
        for (; n < 6; ++n) us *= 10;
    }

    minutes offset{0};
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
        bool const behind = text[at++] == '-';
        int const oh = take(text, at, 2);
        if (oh < 0 || oh > 23 || !skip(text, at, ':', ':')) return std::nullopt;
        int const om = take(text, at, 2);
        if (om < 0 || om > 59) return std::nullopt;
        offset = minutes{oh * 60 + om};
        if (behind) offset = -offset;
    } else if (!skip(text, at, 'Z', 'z')) {
        return std::nullopt;
    }
    if (at != text.size()) return std::nullopt;
    return Timestamp{sys_days{date} + hours{h} + minutes{mi} + seconds{s} + microseconds{us} - offset};
}

}  // namespace buildplan
