// The methods of HTTP that a route can have (RFC 9110 section 9, RFC 5789), and sets of them. HEAD is a GET without its
// content and OPTIONS is answered out of the table, so neither is ever written in a row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace buildplan::api {

enum class Method : std::uint8_t { get, post, put, patch, delete_ };

inline constexpr std::array<std::string_view, 5> method_names{"GET", "POST", "PUT", "PATCH", "DELETE"};
inline constexpr std::size_t method_count = method_names.size();

constexpr std::string_view to_text(Method method) noexcept { return method_names[static_cast<std::size_t>(method)]; }

// Case-sensitive, as HTTP is.
constexpr std::optional<Method> parse_method(std::string_view text) noexcept {
    for (std::size_t i = 0; i < method_count; ++i) {
        if (method_names[i] == text) return static_cast<Method>(i);
    }
    return std::nullopt;
}

class Methods {
public:
    constexpr void insert(Method method) noexcept { bits_ = static_cast<std::uint8_t>(bits_ | bit(method)); }
    [[nodiscard]] constexpr bool contains(Method method) const noexcept { return (bits_ & bit(method)) != 0; }
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }

    // "GET, HEAD, PATCH, OPTIONS": the value of Allow.
    [[nodiscard]] std::string allow() const {
        std::string text;
        for (std::size_t i = 0; i < method_count; ++i) {
            if (!contains(static_cast<Method>(i))) continue;
            text += method_names[i];
            text += static_cast<Method>(i) == Method::get ? ", HEAD, " : ", ";
        }
        return text + "OPTIONS";
    }

private:
    static constexpr std::uint8_t bit(Method method) noexcept {
        return static_cast<std::uint8_t>(1u << static_cast<unsigned>(method));
    }
    std::uint8_t bits_ = 0;
};

}  // namespace buildplan::api
