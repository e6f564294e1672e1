#include "api/pattern.hpp"

#include <algorithm>

#include "core/json/format.hpp"
#include "core/text.hpp"
#include "core/uuid.hpp"

namespace buildplan::api {
namespace {

constexpr std::size_t max_text = 255;
constexpr std::size_t max_rest = 4'096;

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_plain_text(std::string_view raw, std::size_t most) {
    if (raw.empty() || raw.size() > most * 3) return false;
    auto const text = percent_decode(raw);
    if (!text || text->size() > most || !is_utf8(*text)) return false;
    return std::ranges::none_of(*text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            int const high = hex_value(text[i + 1]);
            int const low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
            continue;
        }
        auto const byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

bool fits(ParameterKind kind, std::string_view raw) {
    switch (kind) {
        case ParameterKind::uuid:
            return Uuid::parse(raw).has_value();
        case ParameterKind::slug:
            return json::is_slug(raw);
        case ParameterKind::number:
            return !raw.empty() && raw.size() <= 18 &&
                   std::ranges::all_of(raw, [](char c) { return c >= '0' && c <= '9'; });
        case ParameterKind::text:
            return is_plain_text(raw, max_text);
        case ParameterKind::rest:
            return is_plain_text(raw, max_rest);
    }
    return false;
}

}  // namespace buildplan::api
