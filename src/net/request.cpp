#include "net/request.hpp"

#include "core/text.hpp"

namespace buildplan::net {

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
    for (auto const& header : headers) {
        if (ascii_iequals(header.name, name)) return header.value;
    }
    return std::nullopt;
}

std::optional<std::string_view> Request::parameter(std::string_view name) const noexcept {
    for (auto const& parameter : query) {
        if (parameter.name == name) return parameter.value;
    }
    return std::nullopt;
}

}  // namespace buildplan::net
