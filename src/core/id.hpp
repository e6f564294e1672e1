// Ids are types: `using RequestId = Id<struct RequestTag>;`. A swapped argument does not compile.
#pragma once

#include "core/uuid.hpp"

namespace buildplan {

template <class Tag>
struct Id {
    Uuid value;

    static Id make() { return {Uuid::v7()}; }
    static std::optional<Id> parse(std::string_view text) noexcept {
        auto const id = Uuid::parse(text);
        return id ? std::optional<Id>{Id{*id}} : std::nullopt;
    }
    [[nodiscard]] std::string to_string() const { return value.to_string(); }

    friend auto operator<=>(Id const&, Id const&) = default;
};

using OrganizationId = Id<struct OrganizationTag>;
using UserId = Id<struct UserTag>;
using SessionId = Id<struct SessionTag>;
using ApiKeyId = Id<struct ApiKeyTag>;

}  // namespace buildplan

template <class Tag>
struct std::hash<buildplan::Id<Tag>> {
    std::size_t operator()(buildplan::Id<Tag> const& id) const noexcept {
        return std::hash<buildplan::Uuid>{}(id.value);
    }
};
