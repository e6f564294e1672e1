// Actor: who does something and from where, as the audit log wants to have it. A transaction carries it along (Pool and
// SystemPool take it at begin), so that whatever is recorded in it says who did it without being told again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/principal.hpp"

namespace buildplan {

struct Actor {
    enum class Kind : std::uint8_t { system, user, api_key };

    Kind kind = Kind::system;
    std::optional<Uuid> id = {};
    std::string name = {};  // empty: the log looks up the name of the person or key
    std::string address = {};
    std::string request_id = {};

    // A key acts as itself, also where it is a person's; what has neither person nor key is the program's own work.
    static Actor of(Principal const& principal) {
        if (auto const key = principal.api_key()) return {.kind = Kind::api_key, .id = key->value};
        if (auto const user = principal.user()) return {.kind = Kind::user, .id = user->value};
        return {};
    }
    static Actor of(UserId user) { return {.kind = Kind::user, .id = user.value}; }

    // As the database reads it (audit_chain in migrations/0006): the five fields, U+001F between them. A field is cut
    // where it is longer than what the log keeps, and loses its control characters.
    [[nodiscard]] std::string text() const;
};

std::string_view to_string(Actor::Kind kind) noexcept;

}  // namespace buildplan
