#include "features/identity/passwords/rules.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "embedded/passwords.hpp"

namespace buildplan::identity {
namespace {

constexpr std::size_t shortest_hint = 4;  // "Al" is in half of all passwords

// The lines of a sorted text, without a table of them: it is looked at a few times a minute.
bool has_line(std::string_view text, std::string_view wanted) noexcept {
    std::size_t low = 0;
    auto high = text.size();
    while (low < high) {
        auto const middle = low + (high - low) / 2;
        auto const before = text.substr(0, middle).rfind('\n');
        auto const begin = before == std::string_view::npos || before < low ? low : before + 1;
        auto const end = std::min(text.find('\n', begin), text.size());
        auto const order = text.substr(begin, end - begin).compare(wanted);
        if (order == 0) return true;
        if (order < 0) {
            low = end + 1;
        } else {
            high = begin;
        }
    }
    return false;
}

// "aaaaaaaa", "abcdefgh", "87654321": each character one step from the last, in one direction, or none.
bool is_run(std::string_view text) noexcept {
    for (int const step : {0, 1, -1}) {
        auto const breaks = [step](char a, char b) { return b - a != step; };
        if (std::ranges::adjacent_find(text, breaks) == text.end()) return true;
    }
    return false;
}

// "abababab", "xyzxyzxyz": a short piece again and again.
bool is_repetition(std::string_view text) noexcept {
    for (std::size_t piece = 1; piece <= 3 && piece * 2 < text.size(); ++piece) {
        if (text.substr(piece) == text.substr(0, text.size() - piece)) return true;
    }
    return false;
}

bool holds(std::string_view password, std::string_view hint) {
    return hint.size() >= shortest_hint && password.find(hint) != std::string_view::npos;
}

bool holds_word_of(std::string_view password, std::string_view name) {
    while (!name.empty()) {
        auto const end = name.find(' ');
        if (holds(password, name.substr(0, end))) return true;
        name = end == std::string_view::npos ? std::string_view{} : name.substr(end + 1);
    }
    return false;
}

}  // namespace

bool is_common_password(std::string_view password) {
    return has_line(embedded::passwords().front().text, ascii_lower(password));
}

std::optional<FieldError> refuse_password(std::string_view password, std::string_view email, std::string_view name,
                                          std::string_view pointer) {
    auto const say = [pointer](std::string_view code, std::string_view detail) {
        return FieldError{std::string(pointer), std::string(code), std::string(detail)};
    };
    auto const plain = ascii_lower(password);
    auto const address = ascii_lower(email);
    auto const local_part = std::string_view(address).substr(0, address.find('@'));
    if (holds(plain, local_part) || holds_word_of(plain, ascii_lower(name)))
        return say("guessable", "Choose one without your name or email address in it.");
    if (is_run(plain) || is_repetition(plain))
        return say("guessable", "Choose one that is not a run or repetition of a few characters.");
    if (is_common_password(plain)) return say("common", "Many people have this password; choose another one.");
    return std::nullopt;
}

}  // namespace buildplan::identity
